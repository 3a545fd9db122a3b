// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {Time} from "../types/Time.sol";

/// @notice An image set in one word, from the lowest bit:
/// patient (160) | anchoredAt (40) | instances (32) | state (8).
/// A nonzero state means "exists".
type ImageSlot is uint256;

using ImageSlotLibrary for ImageSlot global;

/// @title Packing and reading an image set
library ImageSlotLibrary {
    uint256 private constant ANCHORED_AT_SHIFT = 160;
    uint256 private constant INSTANCES_SHIFT = 200;
    uint256 private constant STATE_SHIFT = 232;

    /// @notice An image set that is anchored now.
    function anchored(address patient, uint32 instances) internal view returns (ImageSlot) {
        return ImageSlot.wrap(
            uint256(uint160(patient)) | uint256(uint40(block.timestamp)) << ANCHORED_AT_SHIFT | uint256(instances)
                << INSTANCES_SHIFT | uint256(IImageRegistry.State.Anchored) << STATE_SHIFT
        );
    }

    /// @notice The same image set in another state.
    function withState(ImageSlot slot, IImageRegistry.State state_) internal pure returns (ImageSlot) {
        uint256 rest = ImageSlot.unwrap(slot) & ((1 << STATE_SHIFT) - 1);
        return ImageSlot.wrap(rest | uint256(state_) << STATE_SHIFT);
    }

    /// @notice Whether it was ever anchored.
    function exists(ImageSlot slot) internal pure returns (bool) {
        return ImageSlot.unwrap(slot) != 0;
    }

    /// @notice Whether it was erased.
    function isErased(ImageSlot slot) internal pure returns (bool) {
        return ImageSlot.unwrap(slot) >> STATE_SHIFT == uint256(IImageRegistry.State.Erased);
    }

    /// @notice Whether its patient disowned it.
    function isDisowned(ImageSlot slot) internal pure returns (bool) {
        return ImageSlot.unwrap(slot) >> STATE_SHIFT == uint256(IImageRegistry.State.Disowned);
    }

    function state(ImageSlot slot) internal pure returns (IImageRegistry.State) {
        return IImageRegistry.State(ImageSlot.unwrap(slot) >> STATE_SHIFT);
    }

    /// @notice The image set, field by field.
    function unpack(ImageSlot slot) internal pure returns (IImageRegistry.Image memory) {
        uint256 word = ImageSlot.unwrap(slot);
        return IImageRegistry.Image(
            address(uint160(word)),
            Time.wrap(uint40(word >> ANCHORED_AT_SHIFT)),
            uint32(word >> INSTANCES_SHIFT),
            slot.state()
        );
    }
}
