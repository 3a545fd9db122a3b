// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What images may be used for: a mask of the purposes of {DataUse}.
type Purposes is uint16;
