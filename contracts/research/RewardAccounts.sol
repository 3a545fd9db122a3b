// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice A class of contributors in one word, from the lowest bit: weight (64) | perWeight (120).
/// `weight` is that of all who contribute for reward, `perWeight` the money per unit of weight since the beginning,
/// with 24 binary places.
type ClassAccount is uint256;

/// @notice A contributor in one word, from the lowest bit:
/// weight (32) | accrued (96) | perWeight (120) | free (1) | closed (1).
/// `accrued` has been earned and not been paid; `perWeight` is the class's up to which it has been credited; who is
/// `free` earns nothing and takes nothing from the others; for one who is `closed` only its identity's owner collects.
type ContributorAccount is uint256;

using RewardAccounts for ClassAccount global;
using RewardAccounts for ContributorAccount global;

/// @title Sharing money by weight, at a cost that does not depend on how many share it
/// @notice Each class keeps what has been paid per unit of weight; each contributor keeps the value of that sum up to
/// which it has been credited. The difference, times its weight, is what it earned since.
/// @dev The cumulative-rewards scheme of Batog, Boca and Johnson, "Scalable Reward Distribution on the Ethereum
/// Blockchain" (2018). Divisions round down, so that the sum credited never exceeds what came in.
library RewardAccounts {
    using SafeCast for uint256;

    uint256 private constant BINARY_PLACES = 24;
    uint256 private constant FREE = 1 << 248;
    uint256 private constant CLOSED = 1 << 249;
    uint256 private constant CREDIT = ((1 << 216) - 1) << 32;

    /// @notice Weight of all who contribute to a class for reward.
    function weight(ClassAccount class) internal pure returns (uint64) {
        return uint64(ClassAccount.unwrap(class));
    }

    /// @notice Weight of a contributor.
    function weight(ContributorAccount contributor) internal pure returns (uint32) {
        return uint32(ContributorAccount.unwrap(contributor));
    }

    /// @notice Whether a contributor gives for free.
    function isFree(ContributorAccount contributor) internal pure returns (bool) {
        return ContributorAccount.unwrap(contributor) & FREE != 0;
    }

    /// @notice Whether only the owner of a contributor's identity collects.
    function isClosed(ContributorAccount contributor) internal pure returns (bool) {
        return ContributorAccount.unwrap(contributor) & CLOSED != 0;
    }

    /// @notice What a contributor has earned and not been paid, in base units.
    function due(ContributorAccount contributor, ClassAccount class) internal pure returns (uint256 amount) {
        uint256 word = ContributorAccount.unwrap(contributor);
        amount = uint96(word >> 32);
        if (word & FREE == 0) {
            // A class's sum never falls, and 32 + 120 bits and 96 more fit into 256.
            unchecked {
                uint256 since = (ClassAccount.unwrap(class) >> 64) - uint120(word >> 128);
                amount += (uint256(uint32(word)) * since) >> BINARY_PLACES;
            }
        }
    }

    /// @notice A class after an amount was shared among those who have a weight in it, who must be some.
    function share(ClassAccount class, uint256 amount) internal pure returns (ClassAccount) {
        uint256 word = ClassAccount.unwrap(class);
        uint256 perWeight = (word >> 64) + (amount << BINARY_PLACES) / uint64(word);
        return ClassAccount.wrap(uint64(word) | uint256(perWeight.toUint120()) << 64);
    }

    /// @notice A contributor after all that was due was paid.
    function paid(ContributorAccount contributor, ClassAccount class) internal pure returns (ContributorAccount) {
        return _settled(contributor, class, 0);
    }

    /// @notice A class and a contributor after the contributor's weight grew.
    /// @dev Refuses a sum that does not fit: the contributor claims first, or has all the weight that it can have.
    function add(ClassAccount class, ContributorAccount contributor, uint32 amount)
        internal
        pure
        returns (ClassAccount, ContributorAccount)
    {
        uint32 own = weight(contributor);
        uint256 sum = (uint256(own) + amount).toUint32();
        contributor = _settled(contributor, class, due(contributor, class).toUint96());
        contributor = ContributorAccount.wrap(ContributorAccount.unwrap(contributor) - own + sum);
        // 2^32 contributors of the greatest weight fit into 64 bits.
        if (!isFree(contributor)) class = ClassAccount.wrap(ClassAccount.unwrap(class) + amount);
        return (class, contributor);
    }

    /// @notice A class and a contributor after the contributor's weight shrank by what it was given before.
    function remove(ClassAccount class, ContributorAccount contributor, uint32 amount)
        internal
        pure
        returns (ClassAccount, ContributorAccount)
    {
        contributor = ContributorAccount.wrap(ContributorAccount.unwrap(_capped(contributor, class)) - amount);
        if (!isFree(contributor)) class = ClassAccount.wrap(ClassAccount.unwrap(class) - amount);
        return (class, contributor);
    }

    /// @notice A class and a contributor after the contributor chose the other of free and for reward.
    function toggleFree(ClassAccount class, ContributorAccount contributor)
        internal
        pure
        returns (ClassAccount, ContributorAccount)
    {
        uint256 total = ClassAccount.unwrap(class);
        uint32 own = weight(contributor);
        contributor = ContributorAccount.wrap(ContributorAccount.unwrap(_capped(contributor, class)) ^ FREE);
        return (ClassAccount.wrap(isFree(contributor) ? total - own : total + own), contributor);
    }

    /// @notice A contributor for whom only the owner of its identity collects.
    function closed(ContributorAccount contributor) internal pure returns (ContributorAccount) {
        return ContributorAccount.wrap(ContributorAccount.unwrap(contributor) | CLOSED);
    }

    /// @dev Money never stands in the way of leaving: what exceeds an account's 96 bits is lost, not refused. It takes
    /// 2^96 unclaimed base units, which an honest token lets one claim before.
    function _capped(ContributorAccount contributor, ClassAccount class) private pure returns (ContributorAccount) {
        return _settled(contributor, class, Math.min(due(contributor, class), type(uint96).max));
    }

    /// @dev The account with all that its weight has earned in `accrued`, which fits into 96 bits.
    function _settled(ContributorAccount contributor, ClassAccount class, uint256 accrued)
        private
        pure
        returns (ContributorAccount)
    {
        uint256 rest = ContributorAccount.unwrap(contributor) & ~CREDIT;
        return ContributorAccount.wrap(rest | accrued << 32 | (ClassAccount.unwrap(class) >> 64) << 128);
    }
}
