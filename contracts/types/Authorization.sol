// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Time, Time32} from "./Time.sol";

/// @notice A signature over typed data (EIP-712).
/// @param signer who signed: the subject's owner or a consent delegate; a contract answers by ERC-1271
/// @param signed when, in seconds since 1970
/// @param deadline time after which the signature is void
/// @param signature 65 bytes, or what the contract understands
struct Authorization {
    address signer;
    Time32 signed;
    Time deadline;
    bytes signature;
}
