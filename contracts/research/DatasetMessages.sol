// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {DatasetId} from "../types/DatasetId.sol";
import {ImageId} from "../types/ImageSet.sol";
import {Time} from "../types/Time.sol";

/// @title The typed data that a curator signs, as an EIP-712 struct hash
/// @notice Every field has its own name and type, so that a wallet can show what is signed.
library DatasetMessages {
    bytes32 private constant ACCEPT = keccak256("Accept(bytes32 dataset,bytes32 image,uint32 weight,uint40 deadline)");

    function accept(DatasetId dataset, ImageId image, uint32 weight, Time deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPT, dataset, image, weight, deadline));
    }
}
