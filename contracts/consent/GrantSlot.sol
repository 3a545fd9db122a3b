// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentGrants} from "../../interfaces/IConsentGrants.sol";
import {Conditions} from "../types/Conditions.sol";
import {Disease} from "../types/Disease.sol";
import {Purposes} from "../types/Purposes.sol";
import {Time32, time32} from "../types/Time.sol";

/// @notice A grant in one word, from the lowest bit:
/// from (32) | until (32) | signed (32) | purposes (16) | conditions (16) | disease (104) | epoch (16) | status (8).
/// @dev Solidity writes a packed struct field by field; a word built at once makes a grant 1,500 gas cheaper. Inside the
/// registry a time is a plain number, so that nothing has to be cut off it before it is compared; 32 bits last until 2106.
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
    function pack(IConsentGrants.Terms memory terms) internal pure returns (GrantSlot) {
        return GrantSlot.wrap(
            uint256(Time32.unwrap(terms.from)) | uint256(Time32.unwrap(terms.until)) << 32
                | uint256(Purposes.unwrap(terms.purposes)) << PURPOSES_SHIFT
                | uint256(Conditions.unwrap(terms.conditions)) << 112 | uint256(bytes32(Disease.unwrap(terms.disease)))
                >> 24
        );
    }

    /// @notice Packs terms without conditions or disease.
    function pack(uint256 from_, uint256 until_, uint256 purposes_) internal pure returns (GrantSlot) {
        return GrantSlot.wrap(from_ | uint256(uint32(until_)) << 32 | purposes_ << PURPOSES_SHIFT);
    }

    /// @notice The terms with all purposes that they imply.
    function expanded(GrantSlot slot, uint16 purposes_) internal pure returns (GrantSlot) {
        // Expansion takes purposes away as well, so the bits are replaced, not added.
        uint256 rest = GrantSlot.unwrap(slot) & ~(uint256(type(uint16).max) << PURPOSES_SHIFT);
        return GrantSlot.wrap(rest | uint256(purposes_) << PURPOSES_SHIFT);
    }

    /// @notice The terms, granted: as signed then, in an epoch.
    function granted(GrantSlot slot, uint256 signed_, uint256 epoch_) internal pure returns (GrantSlot) {
        return GrantSlot.wrap(
            GrantSlot.unwrap(slot) | uint256(uint32(signed_)) << SIGNED_SHIFT | epoch_ << EPOCH_SHIFT
                | uint256(IConsentGrants.Status.Granted) << STATUS_SHIFT
        );
    }

    /// @notice The same grant, revoked as signed then.
    function revoked(GrantSlot slot, uint256 signed_) internal pure returns (GrantSlot) {
        uint256 kept = GrantSlot.unwrap(slot) & type(uint248).max & ~(uint256(type(uint32).max) << SIGNED_SHIFT);
        return GrantSlot.wrap(
            kept | uint256(uint32(signed_)) << SIGNED_SHIFT | uint256(IConsentGrants.Status.Revoked) << STATUS_SHIFT
        );
    }

    function from(GrantSlot slot) internal pure returns (uint256) {
        return uint32(GrantSlot.unwrap(slot));
    }

    function until(GrantSlot slot) internal pure returns (uint256) {
        return uint32(GrantSlot.unwrap(slot) >> 32);
    }

    function signed(GrantSlot slot) internal pure returns (uint256) {
        return uint32(GrantSlot.unwrap(slot) >> SIGNED_SHIFT);
    }

    function purposes(GrantSlot slot) internal pure returns (uint16) {
        return uint16(GrantSlot.unwrap(slot) >> PURPOSES_SHIFT);
    }

    function conditions(GrantSlot slot) internal pure returns (uint16) {
        return uint16(GrantSlot.unwrap(slot) >> 112);
    }

    function disease(GrantSlot slot) internal pure returns (Disease) {
        return Disease.wrap(bytes13(uint104(slot.diseaseBits())));
    }

    /// @notice The disease as a number, for comparing `bytes13` takes 33 bytes of code each time.
    function diseaseBits(GrantSlot slot) internal pure returns (uint256) {
        return uint104(GrantSlot.unwrap(slot) >> 128);
    }

    function epoch(GrantSlot slot) internal pure returns (uint256) {
        return uint16(GrantSlot.unwrap(slot) >> EPOCH_SHIFT);
    }

    /// @notice Whether it was ever granted or revoked.
    function exists(GrantSlot slot) internal pure returns (bool) {
        return GrantSlot.unwrap(slot) >> STATUS_SHIFT != 0;
    }

    function isRevoked(GrantSlot slot) internal pure returns (bool) {
        return GrantSlot.unwrap(slot) >> STATUS_SHIFT == uint256(IConsentGrants.Status.Revoked);
    }

    function status(GrantSlot slot) internal pure returns (IConsentGrants.Status) {
        return IConsentGrants.Status(GrantSlot.unwrap(slot) >> STATUS_SHIFT);
    }

    /// @notice The grant, field by field.
    function unpack(GrantSlot slot) internal pure returns (IConsentGrants.Grant memory) {
        return IConsentGrants.Grant(
            time32(slot.from()),
            time32(slot.until()),
            time32(slot.signed()),
            Purposes.wrap(slot.purposes()),
            Conditions.wrap(slot.conditions()),
            slot.disease(),
            uint16(slot.epoch()),
            slot.status()
        );
    }
}
