// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Time} from "../types/Time.sol";

/// @notice What the chain keeps of a version of an algorithm, in one word, from the lowest bit:
/// institution (160) | publishedAt (40) | recalledAt (40). A nonzero institution means "exists".
type VersionSlot is uint256;

using VersionSlotLibrary for VersionSlot global;

/// @title Packing and reading a version of an algorithm
library VersionSlotLibrary {
    uint256 private constant PUBLISHED_SHIFT = 160;
    uint256 private constant RECALLED_SHIFT = 200;

    /// @notice A version that the institution publishes now.
    function published(address institution_) internal view returns (VersionSlot) {
        return VersionSlot.wrap(uint256(uint160(institution_)) | _now() << PUBLISHED_SHIFT);
    }

    /// @notice The version once it is recalled, now.
    function recalled(VersionSlot version) internal view returns (VersionSlot) {
        return VersionSlot.wrap(VersionSlot.unwrap(version) | _now() << RECALLED_SHIFT);
    }

    function exists(VersionSlot version) internal pure returns (bool) {
        return VersionSlot.unwrap(version) != 0;
    }

    function institution(VersionSlot version) internal pure returns (address) {
        return address(uint160(VersionSlot.unwrap(version)));
    }

    function publishedAt(VersionSlot version) internal pure returns (Time) {
        return Time.wrap(uint40(VersionSlot.unwrap(version) >> PUBLISHED_SHIFT));
    }

    /// @notice When the version was recalled; zero if it was not.
    function recalledAt(VersionSlot version) internal pure returns (Time) {
        return Time.wrap(uint40(VersionSlot.unwrap(version) >> RECALLED_SHIFT));
    }

    function isRecalled(VersionSlot version) internal pure returns (bool) {
        return VersionSlot.unwrap(version) >> RECALLED_SHIFT != 0;
    }

    function _now() private view returns (uint256) {
        return uint40(block.timestamp);
    }
}
