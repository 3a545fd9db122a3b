// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentGrants} from "../../interfaces/IConsentGrants.sol";
import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {GrantId} from "../types/GrantId.sol";
import {Scope, Scopes} from "../types/Scope.sol";
import {Time32, time32} from "../types/Time.sol";
import {EpochSlot, EpochSlotLibrary} from "./EpochSlot.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @title The grants of all subjects, and which of two documents prevails
/// @notice What was signed last prevails, in whichever order it arrives. Where clocks leave the order in doubt, the
/// revocation prevails, unless the grant was signed when the revocation stood on chain already.
/// @dev The `signed` of a slot rises with every change, at least by one second, above all that was applied before. So
/// no document is applied twice, and a grant's `seen` names one state of the slot. docs/adr/0015 has the argument in full.
abstract contract GrantStore is IConsentRegistry {
    uint256 internal constant GRANT_AHEAD = 5 minutes;
    uint256 internal constant CLOCK_ERROR = 1 days;
    // Two devices may be wrong in opposite directions.
    uint256 internal constant DOUBT = 2 * CLOCK_ERROR;
    // From this epoch on, which no subject should reach, times alone tell what a revokeAll covers.
    uint256 internal constant LAST_EPOCH = type(uint16).max;

    mapping(GrantId grantId => GrantSlot) internal _grants;
    // The revocation over which the subject granted again; written only while the times leave the order in doubt.
    mapping(GrantId grantId => uint256 signed) private _overruled;
    mapping(address subject => EpochSlot) private _epochs;

    // ------------------------------------------------------------------ views

    /// @inheritdoc IConsentGrants
    function grantOf(address subject, address grantee, Scope scope) external view returns (Grant memory) {
        GrantId grantId = _grantId(subject, grantee, scope);
        return (scope == Scopes.EMERGENCY ? _emergencyAsWritten(grantId) : _grants[grantId]).unpack();
    }

    /// @inheritdoc IConsentGrants
    function grantIdOf(address subject, address grantee, Scope scope) external pure returns (GrantId) {
        return _grantId(subject, grantee, scope);
    }

    /// @inheritdoc IConsentGrants
    function epochOf(address subject) external view returns (uint16) {
        return uint16(_epochs[subject].epoch());
    }

    /// @inheritdoc IConsentGrants
    function revokedAllAt(address subject) external view returns (Time32) {
        return time32(_epochs[subject].signed());
    }

    // ------------------------------------------------------------------ internal, writing

    /// @dev The last emergency of a clinician with a subject, as a grant.
    function _emergencyAsWritten(GrantId grantId) internal view virtual returns (GrantSlot);

    /// @dev Writes a grant over any earlier one; `signed` is the time of the block for a grant without a signature.
    function _writeGrant(address subject, address grantee, Scope scope, GrantSlot terms, uint256 signed, address actor)
        internal
    {
        GrantId grantId = _grantId(subject, grantee, scope);
        GrantSlot replaced = _grants[grantId];
        EpochSlot all = _epochs[subject];
        uint256 last = replaced.signed();
        signed = _later(signed, last);
        if (all.epoch() == LAST_EPOCH) signed = _later(signed, all.signed() + DOUBT);
        if (replaced.isRevoked() && signed <= last + DOUBT) _overruled[grantId] = last;
        GrantSlot given = terms.granted(signed, all.epoch());
        _grants[grantId] = given;
        _announce(subject, grantee, scope, given, actor);
    }

    /// @dev Leaves a tombstone, also where nothing was granted: the grant may still be on its way.
    function _writeRevocation(address subject, address grantee, Scope scope, uint256 signed, address actor) internal {
        GrantId grantId = _grantId(subject, grantee, scope);
        GrantSlot given = _grants[grantId];
        signed = _later(signed, given.signed());
        _grants[grantId] = given.revoked(signed);
        _announceRevocation(subject, grantee, scope, signed, actor);
    }

    // One place for each event that several functions emit: the code takes 120 bytes.
    function _announce(address subject, address grantee, Scope scope, GrantSlot given, address actor) internal {
        emit ConsentGranted(subject, grantee, scope, given, actor);
    }

    function _announceRevocation(address subject, address grantee, Scope scope, uint256 signed, address actor)
        internal
    {
        emit ConsentRevoked(subject, grantee, scope, time32(signed), actor);
    }

    function _writeRevocationOfAll(address subject, uint256 signed, address actor) internal {
        EpochSlot all = _epochs[subject];
        uint256 epoch = all.epoch() == LAST_EPOCH ? LAST_EPOCH : all.epoch() + 1;
        signed = _later(signed, all.signed());
        _epochs[subject] = EpochSlotLibrary.pack(epoch, signed);
        emit ConsentRevokedAll(subject, uint16(epoch), time32(signed), actor);
    }

    // ------------------------------------------------------------------ internal, which prevails

    /// @dev Refuses a signed grant that a later grant or a revocation prevails over.
    function _requireGrantPrevails(address subject, address grantee, Scope scope, uint256 signed, Basis calldata basis)
        internal
        view
    {
        _requireNotAhead(signed, GRANT_AHEAD);
        EpochSlot all = _epochs[subject];
        GrantId grantId = _grantId(subject, grantee, scope);
        GrantSlot standing = _grants[grantId];
        uint256 last = standing.signed();
        uint256 seen = Time32.unwrap(basis.seen);
        _requireKnown(seen, last, basis.epoch, all);
        if (!_follows(basis.epoch, all) && signed <= all.signed() + DOUBT) {
            revert ConsentAllRevokedSince(subject, time32(all.signed()));
        }
        if (seen == last) return;
        if (!standing.isRevoked()) {
            if (signed <= last) revert ConsentSuperseded(subject, grantee, scope, time32(last));
            if (signed > last + DOUBT) return;
            last = _overruled[grantId];
            if (seen >= last) return;
        }
        if (signed <= last + DOUBT) revert ConsentRevokedSince(subject, grantee, scope, time32(last));
    }

    /// @dev Refuses a signed revocation that changes nothing, or that the subject has granted over since.
    function _requireRevocationPrevails(address subject, address grantee, Scope scope, uint256 signed) internal view {
        _requireNotAhead(signed, CLOCK_ERROR);
        GrantId grantId = _grantId(subject, grantee, scope);
        GrantSlot standing = _grants[grantId];
        uint256 last = standing.signed();
        if (standing.isRevoked()) {
            if (signed <= last) _refuseRevocation(subject, grantee, scope);
        } else if (signed < last && (signed + DOUBT < last || signed <= _overruled[grantId])) {
            _refuseLateRevocation(subject, grantee, scope, last);
        }
    }

    /// @dev Refuses a signed revocation of everything that changes nothing.
    function _requireRevocationOfAllPrevails(address subject, uint256 signed, uint256 epoch) internal view {
        _requireNotAhead(signed, CLOCK_ERROR);
        EpochSlot all = _epochs[subject];
        // Else the same document would count in each epoch up to the one that it names.
        _requireKnown(0, all.signed(), epoch, all);
        if (!_follows(epoch, all) && signed <= all.signed()) {
            revert ConsentAllRevokedAlready(subject, time32(all.signed()));
        }
    }

    /// @dev Whether the subject has not taken a grant back with all others.
    function _survives(GrantSlot given, EpochSlot all) internal pure returns (bool) {
        return _follows(given.epoch(), all) || given.signed() > all.signed() + DOUBT;
    }

    function _epochSlotOf(address subject) internal view returns (EpochSlot) {
        return _epochs[subject];
    }

    function _grantId(address subject, address grantee, Scope scope) internal pure returns (GrantId) {
        return GrantId.wrap(keccak256(abi.encode(subject, grantee, scope)));
    }

    /// @dev Whether an epoch is proof enough that what names it came after the last revocation of everything.
    function _follows(uint256 epoch, EpochSlot all) private pure returns (bool) {
        return epoch >= all.epoch() && all.epoch() != LAST_EPOCH;
    }

    /// @dev Refuses what was signed over a state that this chain does not have.
    function _requireKnown(uint256 seen, uint256 last, uint256 epoch, EpochSlot all) private pure {
        if (epoch > all.epoch() || seen > last) {
            revert ConsentBasisUnknown(time32(seen), time32(last), uint16(epoch), uint16(all.epoch()));
        }
    }

    function _refuseRevocation(address subject, address grantee, Scope scope) internal pure {
        revert ConsentNothingToRevoke(subject, grantee, scope);
    }

    function _refuseLateRevocation(address subject, address grantee, Scope scope, uint256 last) internal pure {
        revert ConsentGrantedSince(subject, grantee, scope, time32(last));
    }

    function _requireNotAhead(uint256 signed, uint256 tolerance) internal view {
        uint256 latest = block.timestamp + tolerance;
        if (signed > latest) revert ConsentSignedAhead(time32(signed), time32(latest));
    }

    /// @dev A time that is later than the one before, whatever the clocks said.
    function _later(uint256 time, uint256 before) internal pure returns (uint256) {
        return time > before ? time : before + 1;
    }
}
