// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A time, in seconds since 1970.
type Time is uint40;

/// @notice A time, in seconds since 1970, where 32 bits have to do: in what a subject signs and in the slot of a grant.
type Time32 is uint32;
