// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The money of one data set
/// @notice What one token or one data set does with its balance cannot touch another's.
interface IDatasetVault {
    // ------------------------------------------------------------------ errors

    /// @notice The caller is not the registry that created the vault.
    /// @param caller who called
    error VaultNotRegistry(address caller);

    // ------------------------------------------------------------------ writes

    /// @notice Pays out; the caller is the registry.
    /// @param to where the money goes
    /// @param amount base units of the token
    function pay(address to, uint256 amount) external;

    // ------------------------------------------------------------------ views

    /// @notice The token that the vault holds.
    /// @return held the token
    function token() external view returns (IERC20 held);
}
