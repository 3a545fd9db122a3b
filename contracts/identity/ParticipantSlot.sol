// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A participant in one word, from the lowest bit:
/// institution (160) | roles (32) | since (40) | status (8).
/// @dev `institution` is who admitted it, itself for an institution, zero where it belongs to none. `roles` are those that
/// it was accredited for, and `GOVERNOR`; those that the institution lacks cannot be used. `status` are its suspensions.
type ParticipantSlot is uint256;

using ParticipantSlotLibrary for ParticipantSlot global;

/// @title Packing and reading a participant
library ParticipantSlotLibrary {
    uint256 private constant ROLES_SHIFT = 160;
    uint256 private constant SINCE_SHIFT = 192;
    uint256 private constant STATUS_SHIFT = 232;

    /// @notice A participant that is admitted now.
    function admitted(address institution_, uint32 roles_, uint8 status_) internal view returns (ParticipantSlot) {
        return ParticipantSlot.wrap(
            uint256(uint160(institution_)) | uint256(roles_) << ROLES_SHIFT | block.timestamp << SINCE_SHIFT
                | uint256(status_) << STATUS_SHIFT
        );
    }

    /// @notice A participant of no institution.
    function unaffiliated(uint32 roles_, uint8 status_) internal pure returns (ParticipantSlot) {
        return ParticipantSlot.wrap(uint256(roles_) << ROLES_SHIFT | uint256(status_) << STATUS_SHIFT);
    }

    /// @notice The same participant with other roles.
    function withRoles(ParticipantSlot slot, uint32 roles_) internal pure returns (ParticipantSlot) {
        uint256 rest = ParticipantSlot.unwrap(slot) & ~(uint256(type(uint32).max) << ROLES_SHIFT);
        return ParticipantSlot.wrap(rest | uint256(roles_) << ROLES_SHIFT);
    }

    /// @notice The same participant with other suspensions.
    function withStatus(ParticipantSlot slot, uint8 status_) internal pure returns (ParticipantSlot) {
        uint256 rest = ParticipantSlot.unwrap(slot) & ((1 << STATUS_SHIFT) - 1);
        return ParticipantSlot.wrap(rest | uint256(status_) << STATUS_SHIFT);
    }

    function institution(ParticipantSlot slot) internal pure returns (address) {
        return address(uint160(ParticipantSlot.unwrap(slot)));
    }

    function roles(ParticipantSlot slot) internal pure returns (uint32) {
        return uint32(ParticipantSlot.unwrap(slot) >> ROLES_SHIFT);
    }

    function since(ParticipantSlot slot) internal pure returns (uint40) {
        return uint40(ParticipantSlot.unwrap(slot) >> SINCE_SHIFT);
    }

    function status(ParticipantSlot slot) internal pure returns (uint8) {
        return uint8(ParticipantSlot.unwrap(slot) >> STATUS_SHIFT);
    }
}
