// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The root of a day's receipts in one word, from the lowest bit:
/// day (32) | first 28 bytes of the root (224). A nonzero root means "exists".
/// @dev To find two roots that agree in 224 bits takes 2^112 attempts.
type RootSlot is uint256;

using RootSlotLibrary for RootSlot global;

/// @title Packing and reading the root of a day
library RootSlotLibrary {
    uint256 private constant DAY_MASK = (1 << 32) - 1;

    /// @notice Packs a day and its root.
    function pack(uint32 day_, bytes32 root_) internal pure returns (RootSlot) {
        return RootSlot.wrap(uint256(root_) & ~DAY_MASK | day_);
    }

    function day(RootSlot slot) internal pure returns (uint32) {
        return uint32(RootSlot.unwrap(slot));
    }

    /// @notice What is kept of the root; zero where there is none.
    function root(RootSlot slot) internal pure returns (bytes28) {
        return bytes28(bytes32(RootSlot.unwrap(slot)));
    }

    function equals(RootSlot slot, RootSlot other) internal pure returns (bool) {
        return RootSlot.unwrap(slot) == RootSlot.unwrap(other);
    }
}
