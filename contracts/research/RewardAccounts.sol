// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice A contributor in one word, from the lowest bit:
/// weight (32) | accrued (96) | perWeight (120) | free (1) | closed (1).
/// `accrued` has been earned and not been paid; `perWeight` is the class's up to which it has been credited; who is
/// `free` earns nothing and takes nothing from the others; for one who is `closed` only its identity's owner collects.
type ContributorAccount is uint256;

using RewardAccounts for ContributorAccount global;

/// @title Sharing money by weight, at a cost that does not depend on how many share it
/// @notice Each class keeps what has been paid per unit of weight, with 24 binary places; each contributor keeps the value
/// of that sum up to which it has been credited. The difference, times its weight, is what it earned since.
/// @dev The cumulative-rewards scheme of Batog, Boca and Johnson, "Scalable Reward Distribution on the Ethereum
/// Blockchain" (2018). Divisions round down, so that the sum credited never exceeds what came in.
library RewardAccounts {
    using SafeCast for uint256;

    /// @dev The most that one payment can be, and that an account can hold.
    uint256 internal constant MOST_UNITS = type(uint96).max;
    uint256 internal constant BINARY_PLACES = 24;
    uint256 private constant FREE = 1 << 248;
    uint256 private constant CLOSED = 1 << 249;
    uint256 private constant CREDIT = ((1 << 216) - 1) << 32;

    /// @notice Weight of a contributor.
    function weight(ContributorAccount contributor) internal pure returns (uint32) {
        return uint32(ContributorAccount.unwrap(contributor));
    }

    /// @notice Whether a contributor gives for free.
    function isFree(ContributorAccount contributor) internal pure returns (bool) {
        return ContributorAccount.unwrap(contributor) & FREE != 0;
    }

    /// @notice What a contributor's weight adds to that of its class: nothing where it gives for free.
    function forReward(ContributorAccount contributor, uint32 amount) internal pure returns (uint256) {
        return isFree(contributor) ? 0 : amount;
    }

    /// @notice Whether only the owner of a contributor's identity collects.
    function isClosed(ContributorAccount contributor) internal pure returns (bool) {
        return ContributorAccount.unwrap(contributor) & CLOSED != 0;
    }

    /// @notice What a contributor has earned and not been paid, in base units.
    function due(ContributorAccount contributor, uint256 perWeight) internal pure returns (uint256 amount) {
        uint256 word = ContributorAccount.unwrap(contributor);
        amount = uint96(word >> 32);
        if (word & FREE == 0) {
            // A class's sum never falls, and 32 + 120 bits and 96 more fit into 256.
            unchecked {
                uint256 since = perWeight - uint120(word >> 128);
                amount += (uint256(uint32(word)) * since) >> BINARY_PLACES;
            }
        }
    }

    /// @notice The money per unit of weight after an amount was shared among a weight, which is not zero.
    function afterShare(uint120 perWeight, uint256 amount, uint64 weight_) internal pure returns (uint120) {
        return (perWeight + (amount << BINARY_PLACES) / weight_).toUint120();
    }

    /// @notice A contributor after all that was due was paid.
    function paid(ContributorAccount contributor, uint256 perWeight) internal pure returns (ContributorAccount) {
        return _settled(contributor, perWeight, 0);
    }

    /// @notice A contributor after its weight grew.
    /// @dev Refuses a sum that does not fit: the contributor claims first, or has all the weight that it can have.
    function add(ContributorAccount contributor, uint32 amount, uint256 perWeight)
        internal
        pure
        returns (ContributorAccount)
    {
        uint32 own = weight(contributor);
        uint256 sum = (uint256(own) + amount).toUint32();
        contributor = _settled(contributor, perWeight, due(contributor, perWeight).toUint96());
        return ContributorAccount.wrap(ContributorAccount.unwrap(contributor) - own + sum);
    }

    /// @notice A contributor after its weight shrank by what it was given before.
    function remove(ContributorAccount contributor, uint32 amount, uint256 perWeight)
        internal
        pure
        returns (ContributorAccount)
    {
        return ContributorAccount.wrap(ContributorAccount.unwrap(_capped(contributor, perWeight)) - amount);
    }

    /// @notice A contributor after it chose the other of free and for reward.
    function toggleFree(ContributorAccount contributor, uint256 perWeight) internal pure returns (ContributorAccount) {
        return ContributorAccount.wrap(ContributorAccount.unwrap(_capped(contributor, perWeight)) ^ FREE);
    }

    /// @notice A contributor for whom only the owner of its identity collects.
    function closed(ContributorAccount contributor) internal pure returns (ContributorAccount) {
        return ContributorAccount.wrap(ContributorAccount.unwrap(contributor) | CLOSED);
    }

    /// @dev Money never stands in the way of leaving: what exceeds an account's 96 bits is lost, not refused. It takes
    /// 2^96 unclaimed base units, which an honest token lets one claim before.
    function _capped(ContributorAccount contributor, uint256 perWeight) private pure returns (ContributorAccount) {
        return _settled(contributor, perWeight, Math.min(due(contributor, perWeight), MOST_UNITS));
    }

    /// @dev The account with all that its weight has earned in `accrued`, which fits into 96 bits.
    function _settled(ContributorAccount contributor, uint256 perWeight, uint256 accrued)
        private
        pure
        returns (ContributorAccount)
    {
        uint256 rest = ContributorAccount.unwrap(contributor) & ~CREDIT;
        return ContributorAccount.wrap(rest | accrued << 32 | perWeight << 128);
    }
}
