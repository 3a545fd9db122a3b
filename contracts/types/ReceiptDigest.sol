// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What the reader of images signed as their receipt (EIP-712), salted by its nonce.
/// @dev Not an id: the recorder of a receipt chooses it, and could take the id of anything.
type ReceiptDigest is bytes32;
