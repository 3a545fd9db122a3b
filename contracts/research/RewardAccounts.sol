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

    /// @dev One slot: weight (64) | perWeight (120). `perWeight` has 24 binary places.
    struct Class {
        uint64 weight;
        uint120 perWeight;
    }

    /// @dev One slot: weight (32) | accrued (96) | perWeight (120) | flags (8).
    struct Contributor {
        uint32 weight;
        uint96 accrued;
        uint120 perWeight;
        uint8 flags;
    }

    /// @dev The contributor gives for free: its weight earns nothing and takes nothing from the others.
    uint8 internal constant FREE = 1;
    /// @dev The contributor's identity changed hands: only who may act for it collects.
    uint8 internal constant CLOSED = 2;

    uint256 private constant BINARY_PLACES = 24;

    /// @notice What a contributor has earned and not been paid, in base units.
    function due(Class memory class, Contributor memory contributor) internal pure returns (uint256 amount) {
        amount = contributor.accrued;
        if (contributor.flags & FREE == 0) {
            amount += (uint256(contributor.weight) * (class.perWeight - contributor.perWeight)) >> BINARY_PLACES;
        }
    }

    /// @notice Shares money among all who have a weight in a class, which must be some.
    function share(Class storage class, uint256 amount) internal {
        class.perWeight = (class.perWeight + (amount << BINARY_PLACES) / class.weight).toUint120();
    }

    /// @notice Credits a contributor, then adds to its weight.
    function addWeight(Class storage class, Contributor storage contributor, uint32 weight) internal {
        Class memory total = class;
        Contributor memory account = contributor;
        account.accrued = due(total, account).toUint96();
        account.perWeight = total.perWeight;
        account.weight += weight;
        contributor.weight = account.weight;
        contributor.accrued = account.accrued;
        contributor.perWeight = account.perWeight;
        if (account.flags & FREE == 0) class.weight = total.weight + weight;
    }

    /// @notice Credits a contributor, then takes from its weight.
    function removeWeight(Class storage class, Contributor storage contributor, uint32 weight) internal {
        Class memory total = class;
        Contributor memory account = contributor;
        contributor.accrued = due(total, account).toUint96();
        contributor.perWeight = total.perWeight;
        contributor.weight = account.weight - weight;
        if (account.flags & FREE == 0) class.weight = total.weight - weight;
    }

    /// @notice Credits a contributor, then lets it give for free or for reward.
    function setFree(Class storage class, Contributor storage contributor, bool free) internal {
        Class memory total = class;
        Contributor memory account = contributor;
        contributor.accrued = due(total, account).toUint96();
        contributor.perWeight = total.perWeight;
        contributor.flags = account.flags ^ FREE;
        class.weight = free ? total.weight - account.weight : total.weight + account.weight;
    }

    /// @notice Lets only who may act for the contributor collect from now on.
    function close(Contributor storage contributor) internal {
        contributor.flags |= CLOSED;
    }

    /// @notice Whether the contributor gives for free.
    function isFree(Contributor storage contributor) internal view returns (bool) {
        return contributor.flags & FREE != 0;
    }

    /// @notice Whether only who may act for the contributor collects.
    function isClosed(Contributor storage contributor) internal view returns (bool) {
        return contributor.flags & CLOSED != 0;
    }

    /// @notice Takes all that is due from a contributor's account.
    function collect(Class storage class, Contributor storage contributor) internal returns (uint256 amount) {
        Class memory total = class;
        amount = due(total, contributor);
        contributor.accrued = 0;
        contributor.perWeight = total.perWeight;
    }
}
