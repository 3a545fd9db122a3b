// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Identities: ERC-1056 (`did:ethr`), with recovery by guardians
/// @notice Any address is an identity, owned by itself until it says otherwise. Functions, events, getters and signed
/// hashes up to `revokeAttributeSigned` are those of ERC-1056, so that `did:ethr` resolvers work unchanged.
/// @dev Where this registry is stricter than ERC-1056. Resolvers read `changed` and the events, whose form and meaning
/// stay the same, so they are not affected:
/// - a signature with a high s, or from which no address can be recovered, is refused;
/// - handing an identity to the zero address deactivates it for good, as the `did:ethr` method says it does, where the
/// reference registry would give it back to the identity's first key;
/// - a validity of more than 2^128 seconds is refused;
/// - what an owner wrote ends when the identity, or an identity that owns it, gets another owner: delegates, attributes
/// and guardians. A resolver that replays the events shows a delegate or attribute until it lapses or is revoked, so a
/// new owner should revoke what an earlier one wrote;
/// - an owner whose own identity was handed on or recovered no longer acts; the owner of that identity does
/// (`controllerOf`). `identityOwner`, and with it a resolver, still answers with the owner that was set.
/// @dev What the hashes of ERC-1056 do not say: the chain. They name the registry's address alone, so where one key deploys
/// the same contracts in the same order on two chains, a change signed for one holds on the other. Deploy each chain with
/// a key of its own, or sign requests of the forwarder instead, which name the chain.
/// @dev What this contract trusts:
/// - An identity's owner, for everything about that identity. A thief with the owner's key can veto a recovery and
/// replace the guardians: guardians help against a lost key, and against a stolen one until the thief reacts.
/// - As many guardians as the owner asked for, to name a new owner, who takes over after a delay.
/// - The ERC-2771 forwarder given at construction: it may speak for any account. It must verify signatures, and is
/// fixed.
interface IIdentityRegistry {
    // ------------------------------------------------------------------------------------------------------- Errors

    /// @notice `actor` does not act as the owner of `identity`.
    error IdentityNotOwner(address identity, address actor);

    /// @notice The signature is not by `owner`, who acts as the owner of `identity`: it is by `signer`, or malformed if
    /// that is zero.
    error IdentityBadSignature(address identity, address owner, address signer);

    /// @notice A validity of `validity` seconds is more than the limit of `longest`.
    error IdentityValidityTooLong(uint256 validity, uint256 longest);

    /// @notice `identity` was deactivated, for good.
    error IdentityDeactivated(address identity);

    /// @notice Guardians are listed in ascending order, each once: `guardian` does not come after `previous`.
    error IdentityGuardiansNotAscending(address previous, address guardian);

    /// @notice `guardian` is `identity` itself or its owner, and cannot be its guardian.
    error IdentityGuardianIsSelf(address identity, address guardian);

    /// @notice `guardians` guardians are more than the limit of `most`.
    error IdentityTooManyGuardians(uint256 guardians, uint256 most);

    /// @notice `threshold` is not between 1 and the number of `guardians` (both zero: no guardians).
    error IdentityThresholdOutOfRange(uint256 threshold, uint256 guardians);

    /// @notice The guardians and threshold given are not those of `identity`, whose hash is `expected`.
    error IdentityGuardiansMismatch(address identity, bytes32 given, bytes32 expected);

    /// @notice `guardian` is not a guardian of `identity`.
    error IdentityNotGuardian(address identity, address guardian);

    /// @notice `guardian` has approved this recovery already.
    error IdentityAlreadyApproved(address identity, address newOwner, address guardian);

    /// @notice `guardian` has not approved the recovery of `identity` to `newOwner`, or the approval no longer counts.
    error IdentityNoApproval(address identity, address newOwner, address guardian);

    /// @notice `newOwner` cannot become the owner of `identity` by recovery: it is zero, or the owner already.
    error IdentityNewOwnerInvalid(address identity, address newOwner);

    /// @notice No recovery of `identity` is under way.
    error IdentityNoRecovery(address identity);

    /// @notice Too few guardians have approved the recovery of `identity` to `newOwner`.
    error IdentityRecoveryNotApproved(address identity, address newOwner, uint256 approvals);

    /// @notice The recovery takes effect from `readyAt` (Unix time).
    error IdentityRecoveryNotReady(uint256 readyAt);

    /// @notice A recovery delay of `delay` seconds leaves an owner too little time; it is at least `least`.
    error IdentityDelayTooShort(uint256 delay, uint256 least);

    /// @notice A recovery delay of `delay` seconds outlasts the guardians' approvals; it is at most `longest`.
    error IdentityDelayTooLong(uint256 delay, uint256 longest);

    // ------------------------------------------------------------------------------------------- Events of ERC-1056

    /// @notice `owner` owns `identity` from now on; zero: deactivated.
    /// @param previousChange The block of the change before this one, where its events are found.
    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);

    /// @notice `delegate` may act for `identity` as `delegateType` until `validTo`; revoked if that has come.
    event DIDDelegateChanged(
        address indexed identity, bytes32 delegateType, address delegate, uint256 validTo, uint256 previousChange
    );

    /// @notice `identity` has the attribute `name` with `value` until `validTo`; revoked if that is zero.
    event DIDAttributeChanged(
        address indexed identity, bytes32 name, bytes value, uint256 validTo, uint256 previousChange
    );

    // ------------------------------------------------------------------------------------------- Events of recovery

    /// @notice The guardians of `identity` were replaced; a recovery under way is cancelled.
    event IdentityGuardiansSet(address indexed identity, address[] guardians, uint256 threshold);

    /// @notice `guardian` approved that `newOwner` take over `identity`; `readyAt` is zero until enough have.
    event IdentityRecoveryApproved(
        address indexed identity, address indexed newOwner, address indexed guardian, uint256 approvals, uint256 readyAt
    );

    /// @notice `guardian` took back its approval that `newOwner` take over `identity`.
    event IdentityApprovalWithdrawn(address indexed identity, address indexed newOwner, address indexed guardian);

    /// @notice The owner cancelled every recovery of `identity` under way.
    event IdentityRecoveryVetoed(address indexed identity);

    /// @notice `newOwner` took over `identity` from `previousOwner`; follows `DIDOwnerChanged`.
    event IdentityRecoveryExecuted(address indexed identity, address indexed previousOwner, address indexed newOwner);

    // -------------------------------------------------------------------------------------------- ERC-1056: getters

    /// @notice The owner that was set for `identity`, or zero where none was.
    function owners(address identity) external view returns (address);

    /// @notice Until when `delegate` was appointed for `identity` (Unix time).
    /// @dev Whether that still counts is what `validDelegate` says.
    /// @param typeHash keccak256 of the delegate type.
    function delegates(address identity, bytes32 typeHash, address delegate) external view returns (uint256);

    /// @notice The block of the last change of `identity`, or zero.
    function changed(address identity) external view returns (uint256);

    /// @notice The number that the next change signed by `signer` has to carry.
    function nonce(address signer) external view returns (uint256);

    /// @notice The owner of `identity`: itself unless it was handed on; zero once deactivated.
    function identityOwner(address identity) external view returns (address);

    /// @notice Whether `delegate` is now a delegate of `identity` for `delegateType`.
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool);

    // -------------------------------------------------------------------------------------- ERC-1056: by the sender

    /// @notice Hands `identity` to `newOwner`, which cancels a recovery under way and ends what earlier owners wrote:
    /// delegates, attributes (the encryption key is one) and guardians, also of the identities that `identity` owns.
    /// Zero deactivates it for good: no account can act for it any more, nor for the identities that it owns. Consent
    /// that they gave can then no longer be revoked, so first revoke it, and hand on the identities that it owns.
    function changeOwner(address identity, address newOwner) external;

    /// @notice Appoints `delegate` for `validity` seconds from now.
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external;

    /// @notice Ends the appointment of `delegate`.
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external;

    /// @notice Publishes an attribute for `validity` seconds from now. It is kept in the event alone.
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity) external;

    /// @notice Withdraws an attribute.
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external;

    // ----------------------------------------------------------------------------------------- ERC-1056: by signature

    /// @notice `changeOwner`, signed by the owner.
    /// @dev Signed is keccak256(0x19 ‖ 0x00 ‖ this ‖ nonce of the owner ‖ identity ‖ "changeOwner" ‖ newOwner), packed;
    /// for the others the function's name without `Signed`, and its arguments in order.
    function changeOwnerSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, address newOwner) external;

    /// @notice `addDelegate`, signed by the owner.
    function addDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate,
        uint256 validity
    ) external;

    /// @notice `revokeDelegate`, signed by the owner.
    function revokeDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate
    ) external;

    /// @notice `setAttribute`, signed by the owner.
    function setAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value,
        uint256 validity
    ) external;

    /// @notice `revokeAttribute`, signed by the owner.
    function revokeAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value
    ) external;

    // ---------------------------------------------------------------------------------------------------- Authority

    /// @notice Whether `actor` may act for `identity`: it is its controller, or a valid delegate of `delegateType` that
    /// still owns the identity of its own.
    /// @dev A delegate is a key: the right of a delegate whose identity was recovered does not go to its new owner.
    function mayAct(address identity, address actor, bytes32 delegateType) external view returns (bool);

    /// @notice The key that acts as the owner of `identity`: its owner, or where that one's own identity was handed on or
    /// recovered, the owner of that. So a recovered parent goes on acting for the child, and the lost key does not.
    /// @dev At most four identities are looked at: the identity, its owner, the owner's owner and the owner of that. Two
    /// to four that own each other in a circle are controlled each by its own key.
    /// @return controller Zero if an identity on the path is deactivated, or if the path is longer.
    function controllerOf(address identity) external view returns (address controller);

    // ----------------------------------------------------------------------------------------------------- Recovery

    /// @notice The owner names the guardians of `identity` and how many of them it takes; cancels a recovery under way.
    /// @param guardians At most 16, ascending, none of them the identity or its owner; empty for no guardians.
    /// @param threshold How many must approve; zero for no guardians.
    function setGuardians(address identity, address[] calldata guardians, uint256 threshold) external;

    /// @notice The sender, who acts as the owner of the identity `guardian`, approves that `newOwner` take over
    /// `identity`. The first approval starts the recovery; the one that makes the threshold starts the delay. An approval
    /// counts for 30 days, and as long as the guardian's identity gets no other owner.
    /// @dev Approvals for different new owners do not disturb each other, so one guardian cannot block the rest.
    /// @param guardians The guardians as last set, with their `threshold` (`IdentityGuardiansSet`): only a hash is stored.
    function approveRecovery(
        address identity,
        address guardian,
        address newOwner,
        address[] calldata guardians,
        uint256 threshold
    ) external;

    /// @notice The sender, who acts as the owner of the identity `guardian`, takes back its approval.
    function withdrawApproval(address identity, address guardian, address newOwner) external;

    /// @notice The owner cancels every recovery of `identity` under way.
    function vetoRecovery(address identity) external;

    /// @notice Carries out an approved recovery once its delay has passed and while enough approvals count. Anyone may call
    /// this. What earlier owners wrote ends here, but for the guardians, who stay.
    function executeRecovery(address identity, address newOwner) external;

    /// @notice keccak256(abi.encode(guardians, threshold)) of the guardians of `identity`; zero if it has none, or an
    /// earlier owner named them.
    function guardiansHash(address identity) external view returns (bytes32);

    /// @notice How far the recovery of `identity` to `newOwner` is.
    /// @return approvals How many approvals count.
    /// @return readyAt From when it can be executed (Unix time), or zero while too few count.
    function recoveryOf(address identity, address newOwner) external view returns (uint256 approvals, uint256 readyAt);

    /// @notice Seconds from the last approval needed to the moment a recovery can be executed.
    function recoveryDelay() external view returns (uint256);
}
