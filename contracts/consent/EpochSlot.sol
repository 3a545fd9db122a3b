// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The last {IConsentGrants-revokeAll} of a subject in one word, from the lowest bit: epoch (16) | signed (32).
type EpochSlot is uint256;

using EpochSlotLibrary for EpochSlot global;

/// @title Packing and reading the last revocation of all grants
library EpochSlotLibrary {
    uint256 private constant SIGNED_SHIFT = 16;

    /// @notice Packs the epoch that a revocation began, and when it was signed.
    function pack(uint256 epoch_, uint256 signed_) internal pure returns (EpochSlot) {
        return EpochSlot.wrap(epoch_ | uint256(uint32(signed_)) << SIGNED_SHIFT);
    }

    function epoch(EpochSlot slot) internal pure returns (uint256) {
        return uint16(EpochSlot.unwrap(slot));
    }

    function signed(EpochSlot slot) internal pure returns (uint256) {
        return uint32(EpochSlot.unwrap(slot) >> SIGNED_SHIFT);
    }
}
