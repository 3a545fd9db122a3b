// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Duration256} from "../contracts/types/Duration.sol";
import {Time} from "../contracts/types/Time.sol";
import {IERC1056} from "./IERC1056.sol";

/// @title Identities: ERC-1056 (`did:ethr`), with recovery by guardians
/// @notice Any address is an identity, owned by itself until it says otherwise.
/// @dev Where this registry is stricter than ERC-1056. Resolvers read `changed` and the events, whose form and meaning
/// stay the same, so they are not affected:
/// - a signature with a high s, or from which no address can be recovered, is refused;
/// - giving an identity to the zero address deactivates it for good, as the `did:ethr` method says it does, where the
/// reference registry would give it back to the identity's first key;
/// - a validity of more than 2^128 seconds is refused;
/// - what an owner wrote ends when the identity, or an identity that owns it, gets another owner: delegates, attributes
/// and guardians. A resolver that replays the events shows a delegate or attribute until it expires or is revoked, so a
/// new owner should revoke what an earlier one wrote;
/// - an owner whose own identity has another owner no longer acts; the owner of that identity does ({controllerOf}).
/// {identityOwner}, and with it a resolver, still answers with the owner that was set.
/// @dev What the hashes of ERC-1056 do not say: the chain. They name the registry's address alone, so where one key deploys
/// the same contracts in the same order on two chains, a change signed for one holds on the other. Deploy each chain with
/// a key of its own, or sign requests of the forwarder instead, which name the chain.
/// @dev What this contract trusts, and with what:
/// - an identity's owner: everything about that identity. A thief with the owner's key can veto a recovery and
/// replace the guardians: guardians help against a lost key, and against a stolen one until the thief reacts;
/// - as many guardians as the owner asked for: to name a new owner, who takes over after a delay;
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771).
interface IIdentityRegistry is IERC1056 {
    // ------------------------------------------------------------------ errors

    /// @notice `actor` does not act as the owner of `identity`.
    /// @param identity the identity
    /// @param actor who called
    error IdentityNotOwner(address identity, address actor);

    /// @notice The signature is not by `owner`, who acts as the owner of `identity`: it is by `signer`, or malformed if
    /// that is zero.
    /// @param identity the identity
    /// @param owner who acts as its owner
    /// @param signer who signed
    error IdentityBadSignature(address identity, address owner, address signer);

    /// @notice A validity of `validity` seconds is over the limit of `longest`.
    /// @param validity seconds asked for
    /// @param longest the limit
    error IdentityValidityTooLong(Duration256 validity, Duration256 longest);

    /// @notice `identity` was deactivated for good.
    /// @param identity the identity
    error IdentityDeactivated(address identity);

    /// @notice The guardians are not in ascending order, each once: `guardian` comes after `previous`.
    /// @param previous the guardian before it
    /// @param guardian the guardian out of order
    error IdentityGuardiansNotAscending(address previous, address guardian);

    /// @notice `guardian` is `identity` itself or its owner, and cannot be its guardian.
    /// @param identity the identity
    /// @param guardian the guardian
    error IdentityGuardianIsSelf(address identity, address guardian);

    /// @notice `guardians` guardians are over the limit of `most`.
    /// @param guardians number of guardians
    /// @param most the limit
    error IdentityTooManyGuardians(uint256 guardians, uint256 most);

    /// @notice The threshold `threshold` is not between 1 and the number of guardians, `guardians`.
    /// @param threshold how many guardians must approve
    /// @param guardians number of guardians
    error IdentityThresholdOutOfRange(uint256 threshold, uint256 guardians);

    /// @notice These are not the guardians and threshold of `identity`, whose hash is `expected`.
    /// @param identity the identity
    /// @param given hash of the guardians and threshold of the call
    /// @param expected hash of those that its owner set
    error IdentityGuardiansMismatch(address identity, bytes32 given, bytes32 expected);

    /// @notice `guardian` is not a guardian of `identity`.
    /// @param identity the identity
    /// @param guardian the account
    error IdentityNotGuardian(address identity, address guardian);

    /// @notice `guardian` already approved this recovery.
    /// @param identity the identity
    /// @param newOwner who is to own it
    /// @param guardian the guardian
    error IdentityAlreadyApproved(address identity, address newOwner, address guardian);

    /// @notice `guardian` has not approved the recovery of `identity` to `newOwner`, or the approval no longer counts.
    /// @param identity the identity
    /// @param newOwner who is to own it
    /// @param guardian the guardian
    error IdentityNoApproval(address identity, address newOwner, address guardian);

    /// @notice `newOwner` cannot become the owner of `identity` by recovery: it is zero, or already the owner.
    /// @param identity the identity
    /// @param newOwner who is to own it
    error IdentityNewOwnerInvalid(address identity, address newOwner);

    /// @notice No recovery of `identity` is under way.
    /// @param identity the identity
    error IdentityNoRecovery(address identity);

    /// @notice Too few guardians have approved the recovery of `identity` to `newOwner`.
    /// @param identity the identity
    /// @param newOwner who is to own it
    /// @param approvals how many approvals count
    error IdentityRecoveryNotApproved(address identity, address newOwner, uint256 approvals);

    /// @notice The recovery cannot be executed before `readyAt` (Unix time).
    /// @param readyAt when it can be executed
    error IdentityRecoveryNotReady(Time readyAt);

    /// @notice A recovery delay of `delay` seconds leaves an owner too little time; the minimum is `least`.
    /// @param delay seconds asked for
    /// @param least the minimum
    error IdentityDelayTooShort(Duration256 delay, Duration256 least);

    /// @notice A recovery delay of `delay` seconds outlasts the guardians' approvals; the maximum is `longest`.
    /// @param delay seconds asked for
    /// @param longest the maximum
    error IdentityDelayTooLong(Duration256 delay, Duration256 longest);

    // ------------------------------------------------------------------ events

    /// @notice The guardians of an identity were set; recoveries under way are cancelled.
    /// @param identity the identity
    /// @param guardians the guardians, in ascending order
    /// @param threshold how many must approve a recovery
    event IdentityGuardiansSet(address indexed identity, address[] guardians, uint256 threshold);

    /// @notice A guardian approved a recovery.
    /// @param identity the identity
    /// @param newOwner who is to own it
    /// @param guardian the guardian
    /// @param approvals how many approvals count
    /// @param readyAt when the recovery can be executed; zero until enough guardians have approved
    event IdentityRecoveryApproved(
        address indexed identity, address indexed newOwner, address indexed guardian, uint256 approvals, Time readyAt
    );

    /// @notice A guardian withdrew its approval of a recovery.
    /// @param identity the identity
    /// @param newOwner who was to own it
    /// @param guardian the guardian
    event IdentityApprovalWithdrawn(address indexed identity, address indexed newOwner, address indexed guardian);

    /// @notice The owner cancelled every recovery under way.
    /// @param identity the identity
    event IdentityRecoveryVetoed(address indexed identity);

    /// @notice A recovery was executed; this event follows `DIDOwnerChanged`.
    /// @param identity the identity
    /// @param previousOwner who owned it
    /// @param newOwner who owns it
    event IdentityRecoveryExecuted(address indexed identity, address indexed previousOwner, address indexed newOwner);

    // ------------------------------------------------------------------ writes

    /// @notice Sets the guardians of an identity and how many of them it takes; cancels recoveries under way.
    /// @param identity the identity; the caller is its owner
    /// @param guardians at most 16, ascending, none of them the identity or its owner; empty for no guardians
    /// @param threshold how many must approve; zero for no guardians
    function setGuardians(address identity, address[] calldata guardians, uint256 threshold) external;

    /// @notice Approves that an identity gets another owner. The first approval starts the recovery, and the one that
    /// makes the threshold starts the delay. An approval counts for 30 days, and as long as the guardian's identity gets
    /// no other owner.
    /// @dev Approvals for different new owners do not disturb each other, so one guardian cannot block the rest.
    /// @param identity the identity
    /// @param guardian one of its guardians; the caller acts as the guardian's owner
    /// @param newOwner who is to own the identity
    /// @param guardians the guardians as last set (`IdentityGuardiansSet`): only a hash is stored
    /// @param threshold their threshold
    function approveRecovery(
        address identity,
        address guardian,
        address newOwner,
        address[] calldata guardians,
        uint256 threshold
    ) external;

    /// @notice Withdraws a guardian's approval of a recovery.
    /// @param identity the identity
    /// @param guardian one of its guardians; the caller acts as the guardian's owner
    /// @param newOwner who was to own the identity
    function withdrawApproval(address identity, address guardian, address newOwner) external;

    /// @notice Cancels every recovery of an identity under way.
    /// @param identity the identity; the caller is its owner
    function vetoRecovery(address identity) external;

    /// @notice Executes an approved recovery, once its delay has passed and while enough approvals count. Anyone may call
    /// this. What earlier owners wrote ends here, but for the guardians, who stay.
    /// @param identity the identity
    /// @param newOwner who is to own it
    function executeRecovery(address identity, address newOwner) external;

    // ------------------------------------------------------------------ views

    /// @notice Whether an account may act for an identity: it is its controller, or a valid delegate that still owns the
    /// identity of its own.
    /// @dev A delegate is a key: the right of a delegate whose identity was recovered does not go to its new owner.
    /// @param identity the identity
    /// @param actor the account
    /// @param delegateType what a delegate must be allowed to do
    /// @return may whether the account may act
    function mayAct(address identity, address actor, bytes32 delegateType) external view returns (bool may);

    /// @notice The key that acts as the owner of an identity: its owner, or where the owner's own identity has another
    /// owner, that one. So a recovered parent goes on acting for the child, and the lost key does not.
    /// @dev At most four identities are looked at: the identity, its owner, the owner's owner and the owner of that. Two
    /// to four that own each other in a circle are controlled each by its own key.
    /// @param identity the identity
    /// @return controller the key; zero if an identity on the path is deactivated, or if the path is longer
    function controllerOf(address identity) external view returns (address controller);

    /// @notice The hash of an identity's guardians and threshold.
    /// @param identity the identity
    /// @return hash keccak256(abi.encode(guardians, threshold)); zero if it has none, or an earlier owner set them
    function guardiansHash(address identity) external view returns (bytes32 hash);

    /// @notice How far a recovery is.
    /// @param identity the identity
    /// @param newOwner who is to own it
    /// @return approvals how many approvals count
    /// @return readyAt when it can be executed; zero while too few count
    function recoveryOf(address identity, address newOwner) external view returns (uint256 approvals, Time readyAt);

    /// @notice The time between the last approval needed and the moment from which a recovery can be executed.
    /// @return delay its seconds
    function recoveryDelay() external view returns (Duration256 delay);
}
