// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";

/// @notice What became of a clinician's or an institution's emergencies, in one word, from the lowest bit:
/// day (24) | recent (4 × 16) | overdue (24) | declared (32) | justified (32) | unjustified (32).
/// @dev `recent` counts the emergencies that wait for a review, by the UTC day of their declaration: `day` itself in its
/// lowest 16 bits, then the three days before. Each passing day shifts it, and what falls out at the top is overdue: so
/// the number of overdue reviews is known without a list of them. Every count stops at its largest value.
type ConductSlot is uint256;

using ConductSlotLibrary for ConductSlot global;

/// @title Counting emergencies and their reviews
library ConductSlotLibrary {
    uint256 private constant DAYS = 4;
    uint256 private constant RECENT_SHIFT = 24;
    uint256 private constant OVERDUE_SHIFT = 88;
    uint256 private constant DECLARED_SHIFT = 112;
    uint256 private constant JUSTIFIED_SHIFT = 144;
    uint256 private constant UNJUSTIFIED_SHIFT = 176;
    /// @dev `recent` and `overdue`.
    uint256 private constant OPEN = uint256(type(uint88).max) << RECENT_SHIFT;

    /// @notice The end of the UTC day three days after the emergency: a review is due in 72 to 96 hours.
    function dueAt(uint256 since) internal pure returns (uint256) {
        return (since / 1 days + DAYS) * 1 days;
    }

    /// @notice The same counts, as they stand now.
    function today(ConductSlot slot) internal view returns (ConductSlot) {
        uint256 word = ConductSlot.unwrap(slot);
        uint256 day = block.timestamp / 1 days;
        uint256 passed = day - uint24(word);
        if (passed == 0) return slot;
        uint256 recent = uint64(word >> RECENT_SHIFT);
        uint256 late = slot.overdue();
        // Four counts of 16 bits do not overflow.
        unchecked {
            for (uint256 age = passed < DAYS ? DAYS - passed : 0; age < DAYS; ++age) {
                late += uint16(recent >> 16 * age);
            }
            recent = passed < DAYS ? uint64(recent << 16 * passed) : 0;
        }
        if (late > type(uint24).max) late = type(uint24).max;
        word = word >> DECLARED_SHIFT << DECLARED_SHIFT;
        return ConductSlot.wrap(word | late << OVERDUE_SHIFT | recent << RECENT_SHIFT | day);
    }

    /// @notice The counts of {today} with one more emergency, declared now.
    function declared(ConductSlot slot) internal pure returns (ConductSlot) {
        uint256 word = _add(ConductSlot.unwrap(slot), RECENT_SHIFT, type(uint16).max);
        return ConductSlot.wrap(_add(word, DECLARED_SHIFT, type(uint32).max));
    }

    /// @notice The counts of {today} with one more review, made now, of an emergency declared at `since`.
    function reviewed(ConductSlot slot, uint256 since, bool justified) internal pure returns (ConductSlot) {
        uint256 word = ConductSlot.unwrap(slot);
        uint256 age = uint24(word) - since / 1 days;
        word = age < DAYS
            ? _subtract(word, RECENT_SHIFT + 16 * age, type(uint16).max)
            : _subtract(word, OVERDUE_SHIFT, type(uint24).max);
        return ConductSlot.wrap(_add(word, justified ? JUSTIFIED_SHIFT : UNJUSTIFIED_SHIFT, type(uint32).max));
    }

    /// @notice Whether no review is waited for, which is mostly so, and known without counting.
    function isSettled(ConductSlot slot) internal pure returns (bool) {
        return ConductSlot.unwrap(slot) & OPEN == 0;
    }

    /// @notice How many reviews of {today} are overdue.
    function overdue(ConductSlot slot) internal pure returns (uint256) {
        return uint24(ConductSlot.unwrap(slot) >> OVERDUE_SHIFT);
    }

    /// @notice The counts of {today}, field by field.
    function unpack(ConductSlot slot) internal pure returns (IEmergencyAccess.Conduct memory conduct) {
        uint256 word = ConductSlot.unwrap(slot);
        unchecked {
            for (uint256 age = 0; age < DAYS; ++age) {
                conduct.waiting += uint16(word >> RECENT_SHIFT + 16 * age);
            }
        }
        conduct.overdue = uint32(slot.overdue());
        conduct.declared = uint32(word >> DECLARED_SHIFT);
        conduct.justified = uint32(word >> JUSTIFIED_SHIFT);
        conduct.unjustified = uint32(word >> UNJUSTIFIED_SHIFT);
    }

    function _add(uint256 word, uint256 shift, uint256 largest) private pure returns (uint256) {
        return word >> shift & largest == largest ? word : word + (1 << shift);
    }

    function _subtract(uint256 word, uint256 shift, uint256 largest) private pure returns (uint256) {
        return word >> shift & largest == 0 ? word : word - (1 << shift);
    }
}
