// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The last checkpoint of a log in one word, from the lowest bit:
/// size (40) | first 27 bytes of the root (216). A nonzero size means "exists".
/// @dev To find two roots that agree in 216 bits takes 2^108 attempts.
type LogSlot is uint256;

using LogSlotLibrary for LogSlot global;

/// @title Packing and reading the last checkpoint of a log
library LogSlotLibrary {
    uint256 private constant SIZE_MASK = (1 << 40) - 1;

    /// @notice Packs a size and its root.
    function pack(uint40 size_, bytes32 root_) internal pure returns (LogSlot) {
        return LogSlot.wrap(uint256(root_) & ~SIZE_MASK | size_);
    }

    function size(LogSlot slot) internal pure returns (uint40) {
        return uint40(LogSlot.unwrap(slot));
    }

    /// @notice What is kept of the root; zero where there is none.
    function root(LogSlot slot) internal pure returns (bytes27) {
        return bytes27(bytes32(LogSlot.unwrap(slot)));
    }
}
