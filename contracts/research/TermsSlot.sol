// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

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
    /// @notice Packs the terms of an institution's data set.
    function pack(address institution_, IDatasetRegistry.Terms calldata terms) internal pure returns (TermsSlot) {
        return TermsSlot.wrap(
            uint256(uint160(institution_)) | uint256(terms.rule) << 160 | uint256(Purposes.unwrap(terms.use.purposes))
                << 168 | uint256(Conditions.unwrap(terms.use.fulfilled)) << 184 | uint256(terms.mostInstances) << 200
        );
    }

    function exists(TermsSlot terms) internal pure returns (bool) {
        return TermsSlot.unwrap(terms) != 0;
    }

    function institution(TermsSlot terms) internal pure returns (address) {
        return address(uint160(TermsSlot.unwrap(terms)));
    }

    function rule(TermsSlot terms) internal pure returns (IDatasetRegistry.WeightRule) {
        return IDatasetRegistry.WeightRule(uint8(TermsSlot.unwrap(terms) >> 160));
    }

    function purposes(TermsSlot terms) internal pure returns (uint16) {
        return uint16(TermsSlot.unwrap(terms) >> 168);
    }

    function fulfilled(TermsSlot terms) internal pure returns (uint16) {
        return uint16(TermsSlot.unwrap(terms) >> 184);
    }

    function mostInstances(TermsSlot terms) internal pure returns (uint32) {
        return uint32(TermsSlot.unwrap(terms) >> 200);
    }
}
