// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Time, time} from "../types/Time.sol";

/// @notice A demand in one word, from the lowest bit: due (40) | answeredAt (40). A nonzero time when it is due means
/// "exists".
type DemandSlot is uint256;

using DemandSlotLibrary for DemandSlot global;

/// @title Packing and reading a demand
library DemandSlotLibrary {
    uint256 private constant ANSWERED_SHIFT = 40;

    /// @notice A demand to be answered by a time.
    function demanded(uint256 due_) internal pure returns (DemandSlot) {
        return DemandSlot.wrap(uint40(due_));
    }

    /// @notice The demand once it is answered, now.
    function answered(DemandSlot demand) internal view returns (DemandSlot) {
        return DemandSlot.wrap(DemandSlot.unwrap(demand) | uint256(uint40(block.timestamp)) << ANSWERED_SHIFT);
    }

    function exists(DemandSlot demand) internal pure returns (bool) {
        return DemandSlot.unwrap(demand) != 0;
    }

    function due(DemandSlot demand) internal pure returns (Time) {
        return time(DemandSlot.unwrap(demand));
    }

    /// @notice When the demand was answered; zero if it was not.
    function answeredAt(DemandSlot demand) internal pure returns (Time) {
        return time(DemandSlot.unwrap(demand) >> ANSWERED_SHIFT);
    }

    function isAnswered(DemandSlot demand) internal pure returns (bool) {
        return DemandSlot.unwrap(demand) >> ANSWERED_SHIFT != 0;
    }

    /// @notice Whether the time for an answer is over.
    function isOver(DemandSlot demand) internal view returns (bool) {
        return block.timestamp > uint40(DemandSlot.unwrap(demand));
    }
}
