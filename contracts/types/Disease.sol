// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Names one disease by a salted digest of its code; zero where there is none.
type Disease is bytes13;
