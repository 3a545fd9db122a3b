// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";

/// @title Lists of guardians, and their approvals of a recovery
/// @notice A list is given with each call and checked against its hash, so it costs one slot whatever its length.
library Guardians {
    /// @dev One slot: approvals as a set of indexes into the list (bits 0–15), how many these are (16–23), and from
    /// when the recovery can be executed (24–63), zero until there are enough.
    struct Recovery {
        uint16 approvedBy;
        uint8 approvals;
        uint40 readyAt;
    }

    /// @dev As many as `approvedBy` has bits.
    uint256 internal constant MOST = 16;

    /// @notice Refuses a list that is too long, has the identity or its owner in it, a guardian twice or zero, or a
    /// threshold that it cannot reach. Ascending order shows each of the last two at one glance.
    function check(address[] calldata guardians, uint256 threshold, address identity, address owner) internal pure {
        uint256 count = guardians.length;
        if (count > MOST) revert IIdentityRegistry.IdentityTooManyGuardians(count, MOST);
        if (threshold > count || (threshold == 0 && count != 0)) {
            revert IIdentityRegistry.IdentityThresholdOutOfRange(threshold, count);
        }
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address guardian = guardians[i];
            if (guardian <= previous) revert IIdentityRegistry.IdentityGuardiansNotAscending(previous, guardian);
            if (guardian == identity || guardian == owner) {
                revert IIdentityRegistry.IdentityGuardianIsSelf(identity, guardian);
            }
            previous = guardian;
        }
    }

    /// @notice What is stored of a list; zero for none.
    function hash(address[] calldata guardians, uint256 threshold) internal pure returns (bytes32) {
        return guardians.length == 0 ? bytes32(0) : keccak256(abi.encode(guardians, threshold));
    }

    /// @notice The bit of `guardian` in `approvedBy`, or zero if it is not in the list.
    function bitOf(address[] calldata guardians, address guardian) internal pure returns (uint16) {
        for (uint256 i = 0; i < guardians.length; ++i) {
            if (guardians[i] == guardian) return uint16(1 << i);
        }
        return 0;
    }

    /// @notice Adds an approval; the one that makes `threshold` starts the `delay`.
    function approve(Recovery memory self, uint16 guardianBit, uint256 threshold, uint256 delay) internal view {
        self.approvedBy |= guardianBit;
        ++self.approvals;
        if (self.approvals == threshold) self.readyAt = uint40(block.timestamp + delay);
    }
}
