// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Sharing money by weight, at a cost that does not depend on how many share it
/// @notice Each class keeps what has been paid per unit of weight; each contributor keeps the value of that sum up to
/// which it has been credited. The difference, times its weight, is what it earned since.
/// @dev The cumulative-rewards scheme of Batog, Boca and Johnson, "Scalable Reward Distribution on the Ethereum
/// Blockchain" (2018). Divisions round down, so that the sum credited never exceeds what came in.
library RewardAccounts {
    using SafeCast for uint256;

    /// @notice A class of contributors.
    /// @param weight weight of all who contribute for reward
    /// @param perWeight money per unit of weight since the beginning, with 24 binary places
    struct Class {
        uint64 weight;
        uint120 perWeight;
    }

    /// @notice A contributor to a class.
    /// @param weight weight of its contributions
    /// @param accrued base units earned up to `perWeight` and not yet paid
    /// @param perWeight the class's `perWeight` up to which it has been credited
    /// @param free it gives for free: its weight earns nothing and takes nothing from the others
    /// @param closed its identity changed hands: only who may act for it collects
    struct Contributor {
        uint32 weight;
        uint96 accrued;
        uint120 perWeight;
        bool free;
        bool closed;
    }

    uint256 private constant BINARY_PLACES = 24;
    uint256 private constant FREE = 1 << 248;
    uint256 private constant CLOSED = 1 << 249;

    /// @notice Reads a class: weight (64) | perWeight (120), from the lowest bit.
    function unpackClass(uint256 slot) internal pure returns (Class memory) {
        return Class(uint64(slot), uint120(slot >> 64));
    }

    /// @notice Reads a contributor: weight (32) | accrued (96) | perWeight (120) | free (1) | closed (1).
    function unpackContributor(uint256 slot) internal pure returns (Contributor memory) {
        return Contributor(uint32(slot), uint96(slot >> 32), uint120(slot >> 128), slot & FREE != 0, slot & CLOSED != 0);
    }

    /// @notice Packs a class.
    function pack(Class memory class) internal pure returns (uint256) {
        return uint256(class.weight) | uint256(class.perWeight) << 64;
    }

    /// @notice Packs a contributor.
    function pack(Contributor memory contributor) internal pure returns (uint256) {
        return uint256(contributor.weight) | uint256(contributor.accrued) << 32 | uint256(contributor.perWeight) << 128
            | (contributor.free ? FREE : 0) | (contributor.closed ? CLOSED : 0);
    }

    /// @notice What a contributor has earned and not been paid, in base units.
    function due(Class memory class, Contributor memory contributor) internal pure returns (uint256 amount) {
        amount = contributor.accrued;
        if (!contributor.free) {
            amount += (uint256(contributor.weight) * (class.perWeight - contributor.perWeight)) >> BINARY_PLACES;
        }
    }

    /// @notice Shares money among all who have a weight in a class, which must be some.
    function share(Class memory class, uint256 amount) internal pure {
        class.perWeight = (class.perWeight + (amount << BINARY_PLACES) / class.weight).toUint120();
    }

    /// @notice Credits a contributor with what its weight has earned; its weight may change afterwards.
    function credit(Class memory class, Contributor memory contributor) internal pure {
        contributor.accrued = due(class, contributor).toUint96();
        contributor.perWeight = class.perWeight;
    }
}
