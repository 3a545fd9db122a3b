// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {Identities} from "./Identities.sol";

/// @title Lists of guardians, and their approvals of a recovery
/// @notice A list is given with each call and checked against its hash, so it costs one slot whatever its length.
library Guardians {
    using Guardians for Approval;
    using Identities for mapping(address => Identities.Identity);

    /// @param hash hash of a list and its threshold
    /// @param mandate the identity's mandate when they were set
    struct Named {
        bytes32 hash;
        uint64 mandate;
    }

    /// @dev One word, from the lowest bit: guardian (160) | givenAt (32) | mandate (64).
    /// @param guardian who approved
    /// @param givenAt when; zero once the approval was withdrawn
    /// @param mandate the guardian's mandate then
    struct Approval {
        address guardian;
        uint32 givenAt;
        uint64 mandate;
    }

    /// @dev The first word, from the lowest bit: threshold (8) | readyAt (40).
    /// @param threshold how many approvals it takes
    /// @param readyAt when the recovery can be executed, once there were enough
    /// @param approvals at most one of each guardian, so there are never more than `MOST`
    struct Recovery {
        uint8 threshold;
        uint40 readyAt;
        Approval[] approvals;
    }

    /// @dev How long an approval counts.
    uint256 internal constant APPROVAL_PERIOD = 30 days;

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

    /// @notice Whether `guardian` is in the list.
    function includes(address[] calldata guardians, address guardian) internal pure returns (bool) {
        for (uint256 i = 0; i < guardians.length; ++i) {
            if (guardians[i] == guardian) return true;
        }
        return false;
    }

    /// @notice How many approvals count: those that are recent, and whose guardian has the same owner still.
    function count(Recovery storage self, mapping(address => Identities.Identity) storage identities)
        internal
        view
        returns (uint256 approvals)
    {
        for (uint256 i = 0; i < self.approvals.length; ++i) {
            if (self.approvals[i].stands(identities)) ++approvals;
        }
    }

    /// @notice The place of the guardian's approval, in whatever state; the number of all if there is none.
    function placeOf(Recovery storage self, address guardian) internal view returns (uint256 place) {
        while (place < self.approvals.length && self.approvals[place].guardian != guardian) ++place;
    }

    /// @notice Whether the approval at `place` counts.
    function standsAt(Recovery storage self, uint256 place, mapping(address => Identities.Identity) storage identities)
        internal
        view
        returns (bool)
    {
        return place < self.approvals.length && self.approvals[place].stands(identities);
    }

    /// @notice Writes an approval that makes them `approvals`; the one that makes `threshold` starts the `delay`.
    function write(
        Recovery storage self,
        uint256 place,
        Approval memory approval,
        uint256 approvals,
        uint256 threshold,
        uint256 delay
    ) internal {
        if (place == self.approvals.length) self.approvals.push(approval);
        else self.approvals[place] = approval;
        self.threshold = uint8(threshold);
        if (approvals == threshold) self.readyAt = uint40(block.timestamp + delay);
    }

    function stands(Approval memory self, mapping(address => Identities.Identity) storage identities)
        internal
        view
        returns (bool)
    {
        if (block.timestamp >= uint256(self.givenAt) + APPROVAL_PERIOD) return false;
        (, uint64 mandate) = identities.authority(self.guardian);
        return self.mandate == mandate;
    }
}
