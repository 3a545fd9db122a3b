// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a use must fulfil, or fulfils: a mask of the conditions of {DataUse}.
type Conditions is uint16;
