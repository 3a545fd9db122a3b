// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {Scope} from "../lib/Scope.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @title The grants of all subjects, and which of two documents prevails
/// @notice What was signed last prevails, in whichever order it arrives. Where clocks leave the order in doubt, the
/// revocation prevails, unless the grant was signed when the revocation stood on chain already.
/// @dev The `signed` of a slot rises with every change, at least by one second, above all that was applied before. So
/// no document is applied twice, and a grant's `seen` names one state of the slot. docs/adr/0015 has the argument in full.
abstract contract GrantStore is IConsentRegistry {
    /// @dev The last {IConsentRegistry-revokeAll} of a subject, in one slot.
    struct Withdrawal {
        uint16 epoch;
        uint32 signed;
    }

    uint256 internal constant GRANT_AHEAD = 5 minutes;
    uint256 internal constant CLOCK_ERROR = 1 days;
    // Two devices may be wrong in opposite directions.
    uint256 internal constant DOUBT = 2 * CLOCK_ERROR;
    // From this epoch on, which no subject should reach, times alone tell what a revokeAll covers.
    uint16 internal constant LAST_EPOCH = type(uint16).max;

    mapping(bytes32 grantId => GrantSlot) internal _grants;
    // The revocation over which the subject granted again; written only while the times leave the order in doubt.
    mapping(bytes32 grantId => uint256 signed) private _overruled;
    mapping(address subject => Withdrawal) private _withdrawals;

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentRegistry
    function grantOf(address subject, address grantee, bytes32 scope) external view returns (Grant memory) {
        bytes32 grantId = _grantId(subject, grantee, scope);
        return (scope == Scope.EMERGENCY ? _emergencyAsWritten(grantId) : _grants[grantId]).unpack();
    }

    /// @inheritdoc IConsentRegistry
    function grantIdOf(address subject, address grantee, bytes32 scope) external pure returns (bytes32) {
        return _grantId(subject, grantee, scope);
    }

    /// @inheritdoc IConsentRegistry
    function epochOf(address subject) external view returns (uint16) {
        return _withdrawals[subject].epoch;
    }

    /// @inheritdoc IConsentRegistry
    function revokedAllAt(address subject) external view returns (uint32) {
        return _withdrawals[subject].signed;
    }

    /// @dev The last emergency of a clinician with a subject, as a grant.
    function _emergencyAsWritten(bytes32 grantId) internal view virtual returns (GrantSlot);

    // ------------------------------------------------------------------ writing

    /// @dev Writes a grant whatever stands; `signed` is the time of the block for what nobody signed.
    function _writeGrant(address subject, address grantee, bytes32 scope, GrantSlot terms, uint32 signed, address actor)
        internal
    {
        bytes32 grantId = _grantId(subject, grantee, scope);
        GrantSlot replaced = _grants[grantId];
        Withdrawal memory all = _withdrawals[subject];
        uint32 last = replaced.signed();
        signed = _later(signed, last);
        if (all.epoch == LAST_EPOCH) signed = _later(signed, all.signed + uint32(DOUBT));
        if (replaced.status() == Status.Revoked && signed <= last + DOUBT) _overruled[grantId] = last;
        GrantSlot given = terms.granted(signed, all.epoch);
        _grants[grantId] = given;
        _announce(subject, grantee, scope, given, actor);
    }

    /// @dev Leaves a tombstone, also where nothing was granted: the grant may still be on its way.
    function _writeRevocation(address subject, address grantee, bytes32 scope, uint32 signed, address actor) internal {
        bytes32 grantId = _grantId(subject, grantee, scope);
        GrantSlot given = _grants[grantId];
        signed = _later(signed, given.signed());
        _grants[grantId] = given.revoked(signed);
        _announceRevocation(subject, grantee, scope, signed, actor);
    }

    // One place for each event that several functions emit: the code takes 120 bytes.
    function _announce(address subject, address grantee, bytes32 scope, GrantSlot given, address actor) internal {
        emit ConsentGranted(subject, grantee, scope, given, actor);
    }

    function _announceRevocation(address subject, address grantee, bytes32 scope, uint32 signed, address actor)
        internal
    {
        emit ConsentWithdrawn(subject, grantee, scope, signed, actor);
    }

    function _writeRevocationOfAll(address subject, uint32 signed, address actor) internal {
        Withdrawal memory all = _withdrawals[subject];
        uint16 epoch = all.epoch == LAST_EPOCH ? LAST_EPOCH : all.epoch + 1;
        signed = _later(signed, all.signed);
        _withdrawals[subject] = Withdrawal(epoch, signed);
        emit ConsentWithdrawnAll(subject, epoch, signed, actor);
    }

    // ------------------------------------------------------------------ which prevails

    /// @dev Refuses a signed grant that a later grant or a revocation prevails over.
    function _requireGrantPrevails(address subject, address grantee, bytes32 scope, uint32 signed, Basis calldata basis)
        internal
        view
    {
        _requireNotAhead(signed, GRANT_AHEAD);
        Withdrawal memory all = _withdrawals[subject];
        bytes32 grantId = _grantId(subject, grantee, scope);
        GrantSlot standing = _grants[grantId];
        uint32 last = standing.signed();
        _requireKnown(basis.seen, last, basis.epoch, all);
        if (!_follows(basis.epoch, all) && signed <= all.signed + DOUBT) {
            revert ConsentAllRevokedSince(subject, all.signed);
        }
        if (basis.seen == last) return;
        if (standing.status() != Status.Revoked) {
            if (signed <= last) revert ConsentSuperseded(subject, grantee, scope, last);
            if (signed > last + DOUBT) return;
            last = uint32(_overruled[grantId]);
            if (basis.seen >= last) return;
        }
        if (signed <= last + DOUBT) revert ConsentRevokedSince(subject, grantee, scope, last);
    }

    /// @dev Refuses a signed revocation that changes nothing, or that the subject has granted over since.
    function _requireRevocationPrevails(address subject, address grantee, bytes32 scope, uint32 signed) internal view {
        _requireNotAhead(signed, CLOCK_ERROR);
        bytes32 grantId = _grantId(subject, grantee, scope);
        GrantSlot standing = _grants[grantId];
        uint32 last = standing.signed();
        if (standing.status() == Status.Revoked) {
            if (signed <= last) _refuseRevocation(subject, grantee, scope);
        } else if (signed < last && (signed + DOUBT < last || signed <= _overruled[grantId])) {
            _refuseLateRevocation(subject, grantee, scope, last);
        }
    }

    /// @dev Refuses a signed revocation of everything that changes nothing.
    function _requireRevocationOfAllPrevails(address subject, uint32 signed, uint16 epoch) internal view {
        _requireNotAhead(signed, CLOCK_ERROR);
        Withdrawal memory all = _withdrawals[subject];
        // Else the same document would count in each epoch up to the one that it names.
        _requireKnown(0, all.signed, epoch, all);
        if (!_follows(epoch, all) && signed <= all.signed) revert ConsentAllRevokedAlready(subject, all.signed);
    }

    /// @dev Whether the subject has not taken a grant back with all others.
    function _survives(GrantSlot given, Withdrawal memory all) internal pure returns (bool) {
        return _follows(given.epoch(), all) || given.signed() > all.signed + DOUBT;
    }

    function _withdrawalOf(address subject) internal view returns (Withdrawal memory) {
        return _withdrawals[subject];
    }

    function _grantId(address subject, address grantee, bytes32 scope) internal pure returns (bytes32) {
        return keccak256(abi.encode(subject, grantee, scope));
    }

    /// @dev Whether an epoch is proof enough that what names it came after the last revocation of everything.
    function _follows(uint16 epoch, Withdrawal memory all) private pure returns (bool) {
        return epoch >= all.epoch && all.epoch != LAST_EPOCH;
    }

    /// @dev Refuses what was signed over a state that this chain does not have.
    function _requireKnown(uint32 seen, uint32 last, uint16 epoch, Withdrawal memory all) private pure {
        if (epoch > all.epoch || seen > last) revert ConsentBasisUnknown(seen, last, epoch, all.epoch);
    }

    function _refuseRevocation(address subject, address grantee, bytes32 scope) internal pure {
        revert ConsentNothingToRevoke(subject, grantee, scope);
    }

    function _refuseLateRevocation(address subject, address grantee, bytes32 scope, uint32 last) internal pure {
        revert ConsentGrantedSince(subject, grantee, scope, last);
    }

    function _requireNotAhead(uint32 signed, uint256 tolerance) internal view {
        uint256 latest = block.timestamp + tolerance;
        if (signed > latest) revert ConsentSignedAhead(signed, uint32(latest));
    }

    /// @dev A time that is later than the one before, whatever the clocks said.
    function _later(uint32 time, uint32 before) internal pure returns (uint32) {
        return time > before ? time : before + 1;
    }
}
