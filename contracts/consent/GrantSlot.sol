// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";

/// @notice A grant in one word, from the lowest bit:
/// from (32) | until (32) | signed (32) | purposes (16) | conditions (16) | disease (104) | epoch (16) | status (8).
/// @dev Solidity writes a packed struct field by field; a word built at once makes a grant 1,500 gas cheaper.
type GrantSlot is uint256;

using GrantSlotLibrary for GrantSlot global;

/// @title Packing and reading a grant
library GrantSlotLibrary {
    uint256 private constant SIGNED_SHIFT = 64;
    uint256 private constant PURPOSES_SHIFT = 96;
    uint256 private constant EPOCH_SHIFT = 232;
    uint256 private constant STATUS_SHIFT = 248;

    /// @notice Packs terms; nothing is granted yet.
    /// @dev Decoded into memory at once, the terms cost 100 gas less than read field by field from the call.
    function pack(IConsentRegistry.Terms memory terms) internal pure returns (GrantSlot) {
        return GrantSlot.wrap(
            uint256(terms.from) | uint256(terms.until) << 32 | uint256(terms.purposes) << PURPOSES_SHIFT
                | uint256(terms.conditions) << 112 | uint256(uint104(terms.disease)) << 128
        );
    }

    /// @notice Packs terms without conditions or disease.
    function pack(uint32 from_, uint32 until_, uint16 purposes_) internal pure returns (GrantSlot) {
        return GrantSlot.wrap(uint256(from_) | uint256(until_) << 32 | uint256(purposes_) << PURPOSES_SHIFT);
    }

    /// @notice The terms with all purposes that they imply.
    function expanded(GrantSlot slot, uint16 purposes_) internal pure returns (GrantSlot) {
        // Expansion takes purposes away as well, so the bits are replaced, not added.
        uint256 rest = GrantSlot.unwrap(slot) & ~(uint256(type(uint16).max) << PURPOSES_SHIFT);
        return GrantSlot.wrap(rest | uint256(purposes_) << PURPOSES_SHIFT);
    }

    /// @notice The terms, granted: as signed then, in an epoch.
    function granted(GrantSlot slot, uint32 signed_, uint16 epoch_) internal pure returns (GrantSlot) {
        return GrantSlot.wrap(
            GrantSlot.unwrap(slot) | uint256(signed_) << SIGNED_SHIFT | uint256(epoch_) << EPOCH_SHIFT
                | uint256(IConsentRegistry.Status.Granted) << STATUS_SHIFT
        );
    }

    /// @notice The same grant, revoked as signed then.
    function revoked(GrantSlot slot, uint32 signed_) internal pure returns (GrantSlot) {
        uint256 kept = GrantSlot.unwrap(slot) & ((1 << STATUS_SHIFT) - 1) & ~(uint256(type(uint32).max) << SIGNED_SHIFT);
        return GrantSlot.wrap(
            kept | uint256(signed_) << SIGNED_SHIFT | uint256(IConsentRegistry.Status.Revoked) << STATUS_SHIFT
        );
    }

    function from(GrantSlot slot) internal pure returns (uint32) {
        return uint32(GrantSlot.unwrap(slot));
    }

    function until(GrantSlot slot) internal pure returns (uint32) {
        return uint32(GrantSlot.unwrap(slot) >> 32);
    }

    function signed(GrantSlot slot) internal pure returns (uint32) {
        return uint32(GrantSlot.unwrap(slot) >> SIGNED_SHIFT);
    }

    function purposes(GrantSlot slot) internal pure returns (uint16) {
        return uint16(GrantSlot.unwrap(slot) >> PURPOSES_SHIFT);
    }

    function conditions(GrantSlot slot) internal pure returns (uint16) {
        return uint16(GrantSlot.unwrap(slot) >> 112);
    }

    function disease(GrantSlot slot) internal pure returns (bytes13) {
        return bytes13(uint104(GrantSlot.unwrap(slot) >> 128));
    }

    function epoch(GrantSlot slot) internal pure returns (uint16) {
        return uint16(GrantSlot.unwrap(slot) >> EPOCH_SHIFT);
    }

    function status(GrantSlot slot) internal pure returns (IConsentRegistry.Status) {
        return IConsentRegistry.Status(GrantSlot.unwrap(slot) >> STATUS_SHIFT);
    }

    /// @notice The grant, field by field.
    function unpack(GrantSlot slot) internal pure returns (IConsentRegistry.Grant memory) {
        return IConsentRegistry.Grant(
            slot.from(),
            slot.until(),
            slot.signed(),
            slot.purposes(),
            slot.conditions(),
            slot.disease(),
            slot.epoch(),
            slot.status()
        );
    }
}
