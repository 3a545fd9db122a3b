// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDatasetTreasury} from "../../interfaces/IDatasetTreasury.sol";
import {ContributorAccount} from "./RewardAccounts.sol";

/// @notice The classes of a data set, and who contributes to them.
/// @dev Data and custody enter, leave and are paid together, so they share two words; annotation and development have
/// one each. `weight` is that of all who contribute for reward, `perWeight` the money per unit of weight since the
/// beginning. Each word from the lowest bit:
/// 0: shares (4 × 16) | weight of data (64) | weight of custody (64)
/// 1: perWeight of data (120) | perWeight of custody (120)
/// 2: weight (64) | perWeight (120) of annotation
/// 3: weight (64) | perWeight (120) of development
struct ClassAccounts {
    uint256[4] words;
    mapping(address beneficiary => ContributorAccount)[4] contributors;
}

using ClassAccountsLibrary for ClassAccounts global;

/// @title Reading and writing the classes of a data set
library ClassAccountsLibrary {
    /// @notice Writes the shares of a new data set.
    function open(ClassAccounts storage self, uint16[4] calldata shares_) internal {
        self.words[0] =
            uint256(shares_[0]) | uint256(shares_[1]) << 16 | uint256(shares_[2]) << 32 | uint256(shares_[3]) << 48;
    }

    /// @notice Adds to a contributor's weight in one class.
    function enter(ClassAccounts storage self, IDatasetTreasury.Class class, address beneficiary, uint32 weight_)
        internal
    {
        mapping(address => ContributorAccount) storage contributors = self.contributors[uint256(class)];
        ContributorAccount contributor = contributors[beneficiary].add(weight_, self.perWeight(class));
        contributors[beneficiary] = contributor;
        self.grow(class, contributor.forReward(weight_));
    }

    /// @notice Takes from a contributor's weight in one class what was added before.
    function leave(ClassAccounts storage self, IDatasetTreasury.Class class, address beneficiary, uint32 weight_)
        internal
    {
        mapping(address => ContributorAccount) storage contributors = self.contributors[uint256(class)];
        ContributorAccount contributor = contributors[beneficiary].remove(weight_, self.perWeight(class));
        contributors[beneficiary] = contributor;
        self.shrink(class, contributor.forReward(weight_));
    }

    /// @notice {enter} of an image set's data and custody at once, which saves 2,800 gas.
    function enterBoth(ClassAccounts storage self, address patient, address custodian, uint32 weight_) internal {
        uint256 word = self.words[1];
        ContributorAccount data = self.contributors[0][patient].add(weight_, uint120(word));
        ContributorAccount custody = self.contributors[1][custodian].add(weight_, uint120(word >> 120));
        self.contributors[0][patient] = data;
        self.contributors[1][custodian] = custody;
        self.words[0] += data.forReward(weight_) << 64 | custody.forReward(weight_) << 128;
    }

    /// @notice {leave} of an image set's data and custody at once.
    function leaveBoth(ClassAccounts storage self, address patient, address custodian, uint32 weight_) internal {
        uint256 word = self.words[1];
        ContributorAccount data = self.contributors[0][patient].remove(weight_, uint120(word));
        ContributorAccount custody = self.contributors[1][custodian].remove(weight_, uint120(word >> 120));
        self.contributors[0][patient] = data;
        self.contributors[1][custodian] = custody;
        self.words[0] -= data.forReward(weight_) << 64 | custody.forReward(weight_) << 128;
    }

    /// @notice Adds to the weight of a class.
    /// @dev 2^32 contributors of the greatest weight fit into 64 bits, so no field reaches into the next.
    function grow(ClassAccounts storage self, IDatasetTreasury.Class class, uint256 amount) internal {
        (uint256 word, uint256 shift) = _weightAt(class);
        self.words[word] += amount << shift;
    }

    /// @notice Takes from the weight of a class what was added before.
    function shrink(ClassAccounts storage self, IDatasetTreasury.Class class, uint256 amount) internal {
        (uint256 word, uint256 shift) = _weightAt(class);
        self.words[word] -= amount << shift;
    }

    function setPerWeight(ClassAccounts storage self, IDatasetTreasury.Class class, uint120 perWeight_) internal {
        (uint256 word, uint256 shift) = _perWeightAt(class);
        self.words[word] = self.words[word] & ~(uint256(type(uint120).max) << shift) | uint256(perWeight_) << shift;
    }

    function shares(ClassAccounts storage self) internal view returns (uint16[4] memory) {
        uint256 word = self.words[0];
        return [uint16(word), uint16(word >> 16), uint16(word >> 32), uint16(word >> 48)];
    }

    function weight(ClassAccounts storage self, IDatasetTreasury.Class class) internal view returns (uint64) {
        (uint256 word, uint256 shift) = _weightAt(class);
        return uint64(self.words[word] >> shift);
    }

    function perWeight(ClassAccounts storage self, IDatasetTreasury.Class class) internal view returns (uint120) {
        // Constant places: every claim reads this.
        if (class == IDatasetTreasury.Class.Data) return uint120(self.words[1]);
        if (class == IDatasetTreasury.Class.Custody) return uint120(self.words[1] >> 120);
        return uint120(self.words[uint256(class)] >> 64);
    }

    function _weightAt(IDatasetTreasury.Class class) private pure returns (uint256 word, uint256 shift) {
        if (class == IDatasetTreasury.Class.Data) return (0, 64);
        if (class == IDatasetTreasury.Class.Custody) return (0, 128);
        return (uint256(class), 0);
    }

    function _perWeightAt(IDatasetTreasury.Class class) private pure returns (uint256 word, uint256 shift) {
        if (class == IDatasetTreasury.Class.Data) return (1, 0);
        if (class == IDatasetTreasury.Class.Custody) return (1, 120);
        return (uint256(class), 64);
    }
}
