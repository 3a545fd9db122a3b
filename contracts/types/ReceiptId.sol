// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one receipt of reading: the digest that its reader signed (EIP-712), salted by the receipt's nonce.
type ReceiptId is bytes32;
