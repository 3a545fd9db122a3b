// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {Guardians} from "../lib/Guardians.sol";
import {Identities} from "../lib/Identities.sol";

/// @title Identities: ERC-1056 (`did:ethr`), with recovery by guardians
contract IdentityRegistry is IIdentityRegistry, ERC2771Context {
    using Identities for Identities.Identity;
    using Guardians for Guardians.Recovery;

    uint256 private constant LEAST_DELAY = 1 hours;

    /// @inheritdoc IIdentityRegistry
    uint256 public immutable recoveryDelay;

    mapping(address identity => Identities.Identity) private _identities;
    mapping(address identity => mapping(bytes32 typeHash => mapping(address delegate => Identities.Delegation))) private
        _delegations;

    /// @inheritdoc IIdentityRegistry
    mapping(address identity => bytes32) public guardiansHash;

    /// @dev A recovery is the hash of the identity, its round and the new owner.
    mapping(bytes32 recovery => Guardians.Recovery) private _recoveries;

    // -------------------------------------------------------------------------------------------------- Construction

    /// @param trustedForwarder The ERC-2771 forwarder that may speak for others.
    /// @param delay Seconds between the approval of a recovery and its execution, in which the owner can veto it.
    constructor(address trustedForwarder, uint256 delay) ERC2771Context(trustedForwarder) {
        if (delay < LEAST_DELAY) revert IdentityDelayTooShort(delay, LEAST_DELAY);
        recoveryDelay = delay;
    }

    modifier onlyOwner(address identity) {
        _requireOwner(identity, _msgSender());
        _;
    }

    // --------------------------------------------------------------------------------------------- ERC-1056: getters

    /// @inheritdoc IIdentityRegistry
    function owners(address identity) external view returns (address) {
        return _identities[identity].owner;
    }

    /// @inheritdoc IIdentityRegistry
    function delegates(address identity, bytes32 typeHash, address delegate) external view returns (uint256) {
        return _delegations[identity][typeHash][delegate].validTo;
    }

    /// @inheritdoc IIdentityRegistry
    function changed(address identity) external view returns (uint256) {
        return _identities[identity].changed;
    }

    /// @inheritdoc IIdentityRegistry
    function nonce(address signer) external view returns (uint256) {
        return _identities[signer].nonce;
    }

    /// @inheritdoc IIdentityRegistry
    function identityOwner(address identity) public view returns (address) {
        return _identities[identity].ownerOf(identity);
    }

    /// @inheritdoc IIdentityRegistry
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool) {
        return _identities[identity].accepts(_delegations[identity][_typeHash(delegateType)][delegate]);
    }

    // --------------------------------------------------------------------------------------- ERC-1056: by the sender

    /// @inheritdoc IIdentityRegistry
    function changeOwner(address identity, address newOwner) external onlyOwner(identity) {
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IIdentityRegistry
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity)
        external
        onlyOwner(identity)
    {
        _setDelegate(identity, delegateType, delegate, Identities.until(validity));
    }

    /// @inheritdoc IIdentityRegistry
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external onlyOwner(identity) {
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IIdentityRegistry
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity)
        external
        onlyOwner(identity)
    {
        _setAttribute(identity, name, value, Identities.until(validity));
    }

    /// @inheritdoc IIdentityRegistry
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external onlyOwner(identity) {
        _setAttribute(identity, name, value, 0);
    }

    // ---------------------------------------------------------------------------------------- ERC-1056: by signature

    /// @inheritdoc IIdentityRegistry
    function changeOwnerSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, address newOwner) external {
        _requireSigned(identity, sigV, sigR, sigS, abi.encodePacked(identity, "changeOwner", newOwner));
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IIdentityRegistry
    function addDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate,
        uint256 validity
    ) external {
        bytes memory change = abi.encodePacked(identity, "addDelegate", delegateType, delegate, validity);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setDelegate(identity, delegateType, delegate, Identities.until(validity));
    }

    /// @inheritdoc IIdentityRegistry
    function revokeDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate
    ) external {
        bytes memory change = abi.encodePacked(identity, "revokeDelegate", delegateType, delegate);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IIdentityRegistry
    function setAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value,
        uint256 validity
    ) external {
        bytes memory change = abi.encodePacked(identity, "setAttribute", name, value, validity);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setAttribute(identity, name, value, Identities.until(validity));
    }

    /// @inheritdoc IIdentityRegistry
    function revokeAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value
    ) external {
        bytes memory change = abi.encodePacked(identity, "revokeAttribute", name, value);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setAttribute(identity, name, value, 0);
    }

    // ----------------------------------------------------------------------------------------------------- Authority

    /// @inheritdoc IIdentityRegistry
    function mayAct(address identity, address actor, bytes32 delegateType) external view returns (bool) {
        // Nobody is zero, which is the owner of a deactivated identity.
        if (actor == address(0)) return false;
        // A key that lost its own identity speaks for nobody else either.
        if (actor != identity && identityOwner(actor) != actor) return false;
        Identities.Identity storage record = _identities[identity];
        if (actor == record.ownerOf(identity)) return true;
        return record.accepts(_delegations[identity][_typeHash(delegateType)][actor]);
    }

    // ------------------------------------------------------------------------------------------------------ Recovery

    /// @inheritdoc IIdentityRegistry
    function setGuardians(address identity, address[] calldata guardians, uint256 threshold)
        external
        onlyOwner(identity)
    {
        Guardians.check(guardians, threshold, identity, identityOwner(identity));
        guardiansHash[identity] = Guardians.hash(guardians, threshold);
        _identities[identity].cancelRecoveries();
        emit GuardiansChanged(identity, guardians, threshold);
    }

    /// @inheritdoc IIdentityRegistry
    function approveRecovery(
        address identity,
        address guardian,
        address newOwner,
        address[] calldata guardians,
        uint256 threshold
    ) external {
        _requireOwner(guardian, _msgSender());
        Identities.Identity storage record = _identities[identity];
        if (record.status == Identities.Status.Deactivated) revert IdentityDeactivated(identity);
        if (newOwner == address(0) || newOwner == identityOwner(identity)) {
            revert IdentityNewOwnerInvalid(identity, newOwner);
        }
        bytes32 given = Guardians.hash(guardians, threshold);
        bytes32 expected = guardiansHash[identity];
        if (given != expected) revert IdentityGuardiansMismatch(identity, given, expected);

        bytes32 key = _recoveryKey(identity, record.round, newOwner);
        Guardians.Recovery memory recovery = _recoveries[key];
        uint16 guardianBit = Guardians.bitOf(guardians, guardian);
        if (guardianBit == 0) revert IdentityNotGuardian(identity, guardian);
        if (recovery.approvedBy & guardianBit != 0) revert IdentityAlreadyApproved(identity, newOwner, guardian);
        recovery.approve(guardianBit, threshold, recoveryDelay);

        _recoveries[key] = recovery;
        record.status = Identities.Status.Recovering;
        emit RecoveryApproved(identity, newOwner, guardian, recovery.approvals, recovery.readyAt);
    }

    /// @inheritdoc IIdentityRegistry
    function vetoRecovery(address identity) external onlyOwner(identity) {
        Identities.Identity storage record = _identities[identity];
        if (record.status != Identities.Status.Recovering) revert IdentityNoRecovery(identity);
        record.cancelRecoveries();
        emit RecoveryVetoed(identity);
    }

    /// @inheritdoc IIdentityRegistry
    function executeRecovery(address identity, address newOwner) external {
        Identities.Identity storage record = _identities[identity];
        Guardians.Recovery memory recovery = _recoveries[_recoveryKey(identity, record.round, newOwner)];
        if (recovery.readyAt == 0) revert IdentityRecoveryNotApproved(identity, newOwner, recovery.approvals);
        if (block.timestamp < recovery.readyAt) revert IdentityRecoveryNotReady(recovery.readyAt);

        address previousOwner = identityOwner(identity);
        ++record.recoveries;
        _changeOwner(identity, newOwner);
        emit RecoveryExecuted(identity, previousOwner, newOwner);
    }

    /// @inheritdoc IIdentityRegistry
    function recoveryOf(address identity, address newOwner) external view returns (uint256 approvals, uint256 readyAt) {
        Guardians.Recovery memory recovery = _recoveries[_recoveryKey(identity, _identities[identity].round, newOwner)];
        return (recovery.approvals, recovery.readyAt);
    }

    // ------------------------------------------------------------------------------------------- Internals: ERC-1056

    function _requireOwner(address identity, address actor) private view {
        if (actor != identityOwner(identity)) revert IdentityNotOwner(identity, actor);
    }

    /// @dev Checks the owner's signature of `change` and uses up the owner's nonce.
    function _requireSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, bytes memory change) private {
        address owner = identityOwner(identity);
        Identities.Identity storage signing = _identities[owner];
        bytes32 digest = keccak256(abi.encodePacked(bytes1(0x19), bytes1(0), this, uint256(signing.nonce), change));
        // A malformed signature recovers to zero, which also is the owner of a deactivated identity.
        (address signer,,) = ECDSA.tryRecover(digest, sigV, sigR, sigS);
        if (signer == address(0) || signer != owner) revert IdentityBadSignature(identity, owner, signer);
        ++signing.nonce;
    }

    function _changeOwner(address identity, address newOwner) private {
        emit DIDOwnerChanged(identity, newOwner, _identities[identity].setOwner(newOwner));
    }

    function _setDelegate(address identity, bytes32 delegateType, address delegate, uint256 validTo) private {
        _delegations[identity][_typeHash(delegateType)][delegate] =
            Identities.Delegation({validTo: uint240(validTo), recoveries: _identities[identity].recoveries});
        emit DIDDelegateChanged(identity, delegateType, delegate, validTo, _identities[identity].touch());
    }

    function _setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validTo) private {
        uint256 previousChange = _identities[identity].touch();
        emit DIDAttributeChanged(identity, name, value, validTo, previousChange);
    }

    /// @dev The key of the reference registry, which its getter `delegates` takes.
    function _typeHash(bytes32 delegateType) private pure returns (bytes32) {
        return keccak256(abi.encode(delegateType));
    }

    // ------------------------------------------------------------------------------------------- Internals: recovery

    function _recoveryKey(address identity, uint256 round, address newOwner) private pure returns (bytes32) {
        return keccak256(abi.encode(identity, round, newOwner));
    }
}
