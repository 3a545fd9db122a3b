// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDatasetContributions} from "../../interfaces/IDatasetContributions.sol";
import {Time} from "../types/Time.sol";

/// @notice A contribution in one word, from the lowest bit:
/// weight (32) | contributedAt (40) | suspendedAt (40) | state (8) | custody (8).
/// A nonzero state means "exists", and stays, so that nothing is contributed twice.
type ContributionSlot is uint256;

using ContributionSlotLibrary for ContributionSlot global;

/// @title Packing and reading a contribution
library ContributionSlotLibrary {
    /// @dev How long consent may be missing until a suspended contribution has ended.
    uint256 internal constant RENEWAL_PERIOD = 30 days;

    uint256 private constant CONTRIBUTED_SHIFT = 32;
    uint256 private constant SUSPENDED_SHIFT = 72;
    uint256 private constant STATE_SHIFT = 112;
    uint256 private constant CUSTODY = 1 << 120;
    uint256 private constant CHANGING = ((1 << 48) - 1) << SUSPENDED_SHIFT;

    /// @notice A contribution that counts from now on.
    function counted(uint32 weight_, bool custody_) internal view returns (ContributionSlot) {
        return ContributionSlot.wrap(
            uint256(weight_) | block.timestamp << CONTRIBUTED_SHIFT
                | uint256(IDatasetContributions.ContributionState.Counted) << STATE_SHIFT | (custody_ ? CUSTODY : 0)
        );
    }

    /// @notice The same contribution, suspended from now on.
    function suspended(ContributionSlot slot) internal view returns (ContributionSlot) {
        return _with(slot, IDatasetContributions.ContributionState.Suspended, block.timestamp);
    }

    /// @notice The same contribution, which counts again.
    function resumed(ContributionSlot slot) internal pure returns (ContributionSlot) {
        return _with(slot, IDatasetContributions.ContributionState.Counted, 0);
    }

    /// @notice The same contribution, withdrawn for good.
    function withdrawn(ContributionSlot slot) internal pure returns (ContributionSlot) {
        return _with(slot, IDatasetContributions.ContributionState.Withdrawn, 0);
    }

    /// @notice The same contribution, with which the custodian no longer earns.
    function withoutCustody(ContributionSlot slot) internal pure returns (ContributionSlot) {
        return ContributionSlot.wrap(ContributionSlot.unwrap(slot) & ~CUSTODY);
    }

    function weight(ContributionSlot slot) internal pure returns (uint32) {
        return uint32(ContributionSlot.unwrap(slot));
    }

    function hasCustody(ContributionSlot slot) internal pure returns (bool) {
        return ContributionSlot.unwrap(slot) & CUSTODY != 0;
    }

    /// @notice Whether the contribution was ever made.
    function exists(ContributionSlot slot) internal pure returns (bool) {
        return ContributionSlot.unwrap(slot) != 0;
    }

    /// @notice Whether it counts, or is suspended and can count again.
    function stands(ContributionSlot slot) internal view returns (bool) {
        IDatasetContributions.ContributionState now_ = slot.state();
        return now_ == IDatasetContributions.ContributionState.Counted
            || now_ == IDatasetContributions.ContributionState.Suspended;
    }

    /// @notice Its state now: a suspension that lasted for the whole period has become the end.
    function state(ContributionSlot slot) internal view returns (IDatasetContributions.ContributionState) {
        IDatasetContributions.ContributionState kept =
            IDatasetContributions.ContributionState(uint8(ContributionSlot.unwrap(slot) >> STATE_SHIFT));
        bool over = kept == IDatasetContributions.ContributionState.Suspended
            && block.timestamp >= _suspendedAt(slot) + RENEWAL_PERIOD;
        return over ? IDatasetContributions.ContributionState.Withdrawn : kept;
    }

    /// @notice The contribution, field by field.
    function unpack(ContributionSlot slot) internal view returns (IDatasetContributions.Contribution memory) {
        return IDatasetContributions.Contribution(
            slot.weight(),
            Time.wrap(uint40(ContributionSlot.unwrap(slot) >> CONTRIBUTED_SHIFT)),
            Time.wrap(_suspendedAt(slot)),
            slot.state(),
            slot.hasCustody()
        );
    }

    function _suspendedAt(ContributionSlot slot) private pure returns (uint40) {
        return uint40(ContributionSlot.unwrap(slot) >> SUSPENDED_SHIFT);
    }

    function _with(ContributionSlot slot, IDatasetContributions.ContributionState newState, uint256 suspendedAt)
        private
        pure
        returns (ContributionSlot)
    {
        uint256 rest = ContributionSlot.unwrap(slot) & ~CHANGING;
        return ContributionSlot.wrap(rest | suspendedAt << SUSPENDED_SHIFT | uint256(newState) << STATE_SHIFT);
    }
}
