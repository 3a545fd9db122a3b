// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDatasetContributions} from "../../interfaces/IDatasetContributions.sol";
import {IDatasetRegistry} from "../../interfaces/IDatasetRegistry.sol";
import {Conditions} from "../types/Conditions.sol";
import {Purposes} from "../types/Purposes.sol";

/// @notice What contributions ask of a data set's terms, in one word, from the lowest bit:
/// institution (160) | rule (8) | purposes (16) | fulfilled (16) | mostInstances (32).
/// A nonzero institution means "exists".
type TermsSlot is uint256;

using TermsSlotLibrary for TermsSlot global;

/// @title Packing and reading the terms of a data set
library TermsSlotLibrary {
    uint256 private constant RULE_SHIFT = 160;
    uint256 private constant PURPOSES_SHIFT = 168;
    uint256 private constant FULFILLED_SHIFT = 184;
    uint256 private constant INSTANCES_SHIFT = 200;

    /// @notice Packs the terms of an institution's data set.
    function pack(address institution_, IDatasetRegistry.Terms calldata terms) internal pure returns (TermsSlot) {
        return TermsSlot.wrap(
            uint256(uint160(institution_)) | uint256(terms.rule) << RULE_SHIFT
                | uint256(Purposes.unwrap(terms.use.purposes)) << PURPOSES_SHIFT
                | uint256(Conditions.unwrap(terms.use.fulfilled)) << FULFILLED_SHIFT | uint256(terms.mostInstances)
                << INSTANCES_SHIFT
        );
    }

    /// @notice Whether the data set was created.
    function exists(TermsSlot terms) internal pure returns (bool) {
        return TermsSlot.unwrap(terms) != 0;
    }

    function institution(TermsSlot terms) internal pure returns (address) {
        return address(uint160(TermsSlot.unwrap(terms)));
    }

    function rule(TermsSlot terms) internal pure returns (IDatasetContributions.WeightRule) {
        return IDatasetContributions.WeightRule(uint8(TermsSlot.unwrap(terms) >> RULE_SHIFT));
    }

    function purposes(TermsSlot terms) internal pure returns (uint16) {
        return uint16(TermsSlot.unwrap(terms) >> PURPOSES_SHIFT);
    }

    function fulfilled(TermsSlot terms) internal pure returns (Conditions) {
        return Conditions.wrap(uint16(TermsSlot.unwrap(terms) >> FULFILLED_SHIFT));
    }

    function mostInstances(TermsSlot terms) internal pure returns (uint32) {
        return uint32(TermsSlot.unwrap(terms) >> INSTANCES_SHIFT);
    }
}
