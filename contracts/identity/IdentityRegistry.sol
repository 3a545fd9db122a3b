// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {Duration256} from "../types/Duration.sol";
import {Time} from "../types/Time.sol";
import {EthereumIdentities} from "./EthereumIdentities.sol";
import {Guardians} from "./Guardians.sol";
import {Identities} from "./Identities.sol";

/// @title IdentityRegistry
/// @notice The half of the identity registry that is recovery by guardians. See {IIdentityRegistry}.
contract IdentityRegistry is EthereumIdentities {
    using Identities for Identities.Identity;
    using Identities for mapping(address => Identities.Identity);
    using Guardians for Guardians.Recovery;

    uint256 private constant LEAST_DELAY = 1 hours;
    // Less than half of the time for which an approval counts, so that guardians can collect theirs and execute.
    uint256 private constant LONGEST_DELAY = 14 days;

    uint256 private immutable _recoveryDelay;

    mapping(address identity => Guardians.Named) private _guardians;
    // A recovery is the hash of the identity, its mandate and round, and the new owner.
    mapping(bytes32 recovery => Guardians.Recovery) private _recoveries;

    // ------------------------------------------------------------------ construction

    /// @param forwarder trusted ERC-2771 forwarder
    /// @param delay seconds between the approval of a recovery and its execution, in which the owner can veto it
    constructor(address forwarder, Duration256 delay) ERC2771Context(forwarder) {
        uint256 length = Duration256.unwrap(delay);
        if (length < LEAST_DELAY) revert IdentityDelayTooShort(delay, Duration256.wrap(LEAST_DELAY));
        if (length > LONGEST_DELAY) revert IdentityDelayTooLong(delay, Duration256.wrap(LONGEST_DELAY));
        _recoveryDelay = length;
    }

    // ------------------------------------------------------------------ writes

    /// @inheritdoc IIdentityRegistry
    function setGuardians(address identity, address[] calldata guardians, uint256 threshold)
        external
        onlyOwner(identity)
    {
        Guardians.check(guardians, threshold, identity, identityOwner(identity));
        _guardians[identity] = Guardians.Named(Guardians.hash(guardians, threshold), _mandateOf(identity));
        _identities[identity].cancelRecoveries();
        emit IdentityGuardiansSet(identity, guardians, threshold);
    }

    /// @inheritdoc IIdentityRegistry
    function approveRecovery(
        address identity,
        address guardian,
        address newOwner,
        address[] calldata guardians,
        uint256 threshold
    ) external {
        uint64 guardianMandate = _requireOwner(guardian, _msgSender());
        if (_identities[identity].status == Identities.Status.Deactivated) revert IdentityDeactivated(identity);
        if (newOwner == address(0) || newOwner == identityOwner(identity)) {
            revert IdentityNewOwnerInvalid(identity, newOwner);
        }
        bytes32 given = Guardians.hash(guardians, threshold);
        bytes32 expected = guardiansHash(identity);
        if (given != expected) revert IdentityGuardiansMismatch(identity, given, expected);
        if (!Guardians.includes(guardians, guardian)) revert IdentityNotGuardian(identity, guardian);
        _approve(identity, newOwner, threshold, Guardians.Approval(guardian, uint32(block.timestamp), guardianMandate));
    }

    /// @inheritdoc IIdentityRegistry
    function withdrawApproval(address identity, address guardian, address newOwner) external onlyOwner(guardian) {
        Guardians.Recovery storage recovery = _recoveryOf(identity, newOwner);
        uint256 place = recovery.placeOf(guardian);
        if (!recovery.standsAt(place, _identities)) revert IdentityNoApproval(identity, newOwner, guardian);
        recovery.approvals[place].givenAt = 0;
        emit IdentityApprovalWithdrawn(identity, newOwner, guardian);
    }

    /// @inheritdoc IIdentityRegistry
    function vetoRecovery(address identity) external onlyOwner(identity) {
        Identities.Identity storage record = _identities[identity];
        if (record.status != Identities.Status.Recovering) revert IdentityNoRecovery(identity);
        record.cancelRecoveries();
        emit IdentityRecoveryVetoed(identity);
    }

    /// @inheritdoc IIdentityRegistry
    function executeRecovery(address identity, address newOwner) external {
        Guardians.Recovery storage recovery = _recoveryOf(identity, newOwner);
        uint256 approvals = recovery.count(_identities);
        uint40 readyAt = recovery.readyAt;
        if (readyAt == 0 || approvals < recovery.threshold) {
            revert IdentityRecoveryNotApproved(identity, newOwner, approvals);
        }
        if (block.timestamp < readyAt) revert IdentityRecoveryNotReady(Time.wrap(readyAt));

        address previousOwner = identityOwner(identity);
        _changeOwner(identity, newOwner);
        // The guardians have just shown that they are the ones to trust.
        _guardians[identity].mandate = _mandateOf(identity);
        emit IdentityRecoveryExecuted(identity, previousOwner, newOwner);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IIdentityRegistry
    function guardiansHash(address identity) public view returns (bytes32) {
        Guardians.Named storage named = _guardians[identity];
        return named.mandate == _mandateOf(identity) ? named.hash : bytes32(0);
    }

    /// @inheritdoc IIdentityRegistry
    function recoveryOf(address identity, address newOwner) external view returns (uint256 approvals, Time readyAt) {
        Guardians.Recovery storage recovery = _recoveryOf(identity, newOwner);
        approvals = recovery.count(_identities);
        readyAt = Time.wrap(approvals < recovery.threshold ? 0 : recovery.readyAt);
    }

    /// @inheritdoc IIdentityRegistry
    function recoveryDelay() external view returns (Duration256) {
        return Duration256.wrap(_recoveryDelay);
    }

    // ------------------------------------------------------------------ internal

    function _approve(address identity, address newOwner, uint256 threshold, Guardians.Approval memory approval)
        private
    {
        Guardians.Recovery storage recovery = _recoveryOf(identity, newOwner);
        address guardian = approval.guardian;
        uint256 place = recovery.placeOf(guardian);
        if (recovery.standsAt(place, _identities)) revert IdentityAlreadyApproved(identity, newOwner, guardian);
        uint256 approvals = recovery.count(_identities) + 1;
        recovery.write(place, approval, approvals, threshold, _recoveryDelay);
        _identities[identity].status = Identities.Status.Recovering;
        Time readyAt = Time.wrap(approvals < threshold ? 0 : recovery.readyAt);
        emit IdentityRecoveryApproved(identity, newOwner, guardian, approvals, readyAt);
    }

    function _recoveryOf(address identity, address newOwner) private view returns (Guardians.Recovery storage) {
        uint256 round = _identities[identity].round;
        return _recoveries[keccak256(abi.encode(identity, _mandateOf(identity), round, newOwner))];
    }
}
