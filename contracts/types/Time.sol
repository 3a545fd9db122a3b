// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A time, in seconds since 1970.
type Time is uint40;

/// @notice A time in the 32 bits for which there is room in the slot of a grant, and in what a subject signs.
type Time32 is uint32;

/// @notice A time in the 256 bits that ERC-1056 gives it.
type Time256 is uint256;

/// @notice A number of seconds since 1970 as a {Time}.
function time(uint256 seconds_) pure returns (Time) {
    return Time.wrap(uint40(seconds_));
}

/// @notice A number of seconds since 1970, before 2106, as a {Time32}.
function time32(uint256 seconds_) pure returns (Time32) {
    return Time32.wrap(uint32(seconds_));
}
