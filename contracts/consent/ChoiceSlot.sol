// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A subject's choice on emergency access in one word, from the lowest bit:
/// signed (32) | overruled (32) | forbiddenAt (32) | forbidden (8).
/// @dev `overruled` is the `signed` of the prohibition that the subject last lifted: one that arrives late and was signed
/// by then does not count. What was declared up to `forbiddenAt`, when it was last forbidden on chain, has ended.
type ChoiceSlot is uint256;

using ChoiceSlotLibrary for ChoiceSlot global;

/// @title Packing and reading a choice on emergency access
library ChoiceSlotLibrary {
    uint256 private constant OVERRULED_SHIFT = 32;
    uint256 private constant FORBIDDEN_AT_SHIFT = 64;
    uint256 private constant FORBIDDEN = 1 << 96;

    /// @notice Forbids emergency access, as signed then and recorded now.
    function forbid(ChoiceSlot slot, uint256 signed_) internal view returns (ChoiceSlot) {
        return ChoiceSlot.wrap(
            uint256(uint32(signed_)) | slot.overruled() << OVERRULED_SHIFT | uint256(uint32(block.timestamp))
                << FORBIDDEN_AT_SHIFT | FORBIDDEN
        );
    }

    /// @notice Allows emergency access, as signed then.
    function allow(ChoiceSlot slot, uint256 signed_) internal pure returns (ChoiceSlot) {
        return ChoiceSlot.wrap(
            uint256(uint32(signed_)) | slot.signed() << OVERRULED_SHIFT | slot.forbiddenAt() << FORBIDDEN_AT_SHIFT
        );
    }

    function signed(ChoiceSlot slot) internal pure returns (uint256) {
        return uint32(ChoiceSlot.unwrap(slot));
    }

    function overruled(ChoiceSlot slot) internal pure returns (uint256) {
        return uint32(ChoiceSlot.unwrap(slot) >> OVERRULED_SHIFT);
    }

    function forbiddenAt(ChoiceSlot slot) internal pure returns (uint256) {
        return uint32(ChoiceSlot.unwrap(slot) >> FORBIDDEN_AT_SHIFT);
    }

    function isForbidden(ChoiceSlot slot) internal pure returns (bool) {
        return ChoiceSlot.unwrap(slot) & FORBIDDEN != 0;
    }
}
