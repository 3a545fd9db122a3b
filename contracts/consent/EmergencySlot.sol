// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";
import {DataUse} from "../lib/DataUse.sol";
import {time} from "../types/Time.sol";
import {ConductSlotLibrary} from "./ConductSlot.sol";
import {GrantSlot, GrantSlotLibrary} from "./GrantSlot.sol";

/// @notice One emergency in one word, from the lowest bit:
/// institution (160) | since (32) | duration (24) | epoch (16) | outcome (8) | ended (8).
/// @dev A nonzero institution means "exists".
type EmergencySlot is uint256;

using EmergencySlotLibrary for EmergencySlot global;

/// @title Packing and reading an emergency
library EmergencySlotLibrary {
    uint256 private constant SINCE_SHIFT = 160;
    uint256 private constant DURATION_SHIFT = 192;
    uint256 private constant EPOCH_SHIFT = 216;
    uint256 private constant OUTCOME_SHIFT = 232;
    uint256 private constant ENDED = 1 << 240;

    /// @notice An emergency that waits for its review.
    function pack(address institution_, uint256 since_, uint256 duration, uint256 epoch_)
        internal
        pure
        returns (EmergencySlot)
    {
        return EmergencySlot.wrap(
            uint256(uint160(institution_)) | uint256(uint32(since_)) << SINCE_SHIFT | duration << DURATION_SHIFT
                | epoch_ << EPOCH_SHIFT | uint256(IEmergencyAccess.Outcome.Waiting) << OUTCOME_SHIFT
        );
    }

    /// @notice The same emergency, ended before its time.
    function end(EmergencySlot slot) internal pure returns (EmergencySlot) {
        return EmergencySlot.wrap(EmergencySlot.unwrap(slot) | ENDED);
    }

    /// @notice The same emergency, reviewed; one that was not justified is ended.
    function reviewed(EmergencySlot slot, bool justified) internal pure returns (EmergencySlot) {
        uint256 rest = EmergencySlot.unwrap(slot) & ~(uint256(type(uint8).max) << OUTCOME_SHIFT);
        if (justified) return EmergencySlot.wrap(rest | uint256(IEmergencyAccess.Outcome.Justified) << OUTCOME_SHIFT);
        return EmergencySlot.wrap(rest | uint256(IEmergencyAccess.Outcome.Unjustified) << OUTCOME_SHIFT).end();
    }

    function institution(EmergencySlot slot) internal pure returns (address) {
        return address(uint160(EmergencySlot.unwrap(slot)));
    }

    function since(EmergencySlot slot) internal pure returns (uint256) {
        return uint32(EmergencySlot.unwrap(slot) >> SINCE_SHIFT);
    }

    function until(EmergencySlot slot) internal pure returns (uint256) {
        return slot.since() + uint24(EmergencySlot.unwrap(slot) >> DURATION_SHIFT);
    }

    function epoch(EmergencySlot slot) internal pure returns (uint256) {
        return uint16(EmergencySlot.unwrap(slot) >> EPOCH_SHIFT);
    }

    function outcome(EmergencySlot slot) internal pure returns (IEmergencyAccess.Outcome) {
        return IEmergencyAccess.Outcome(uint8(EmergencySlot.unwrap(slot) >> OUTCOME_SHIFT));
    }

    function isEnded(EmergencySlot slot) internal pure returns (bool) {
        return EmergencySlot.unwrap(slot) & ENDED != 0;
    }

    /// @notice The grant that the emergency is to the oracle, up to a time.
    function asGrant(EmergencySlot slot, uint256 until_) internal pure returns (GrantSlot given) {
        if (slot.institution() == address(0)) return given;
        uint256 since_ = slot.since();
        given = GrantSlotLibrary.pack(since_, until_, DataUse.CLINICAL_CARE).granted(since_, slot.epoch());
        if (slot.isEnded()) return given.revoked(since_);
    }

    /// @notice The emergency, field by field.
    function unpack(EmergencySlot slot) internal pure returns (IEmergencyAccess.Emergency memory emergency) {
        if (slot.institution() == address(0)) return emergency;
        uint256 since_ = slot.since();
        return IEmergencyAccess.Emergency(
            slot.institution(),
            time(slot.until()),
            time(ConductSlotLibrary.dueAt(since_)),
            slot.outcome(),
            slot.isEnded()
        );
    }
}
