// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDatasetRegistry} from "../../interfaces/IDatasetRegistry.sol";

/// @title The money of one data set
/// @notice What one token or one data set does with its balance cannot touch another's.
contract DatasetVault {
    using SafeERC20 for IERC20;

    /// @notice The caller is not the registry that created the vault.
    error VaultNotRegistry(address caller);

    /// @notice The token that the vault holds.
    IERC20 public immutable token;

    address private immutable _registry;

    /// @dev Asks the registry for the token: an argument would make the vault's address depend on it.
    constructor() {
        token = IDatasetRegistry(msg.sender).tokenOfNewVault();
        _registry = msg.sender;
    }

    /// @notice Pays out.
    /// @param to who gets it
    /// @param amount base units of the token
    function pay(address to, uint256 amount) external {
        if (msg.sender != _registry) revert VaultNotRegistry(msg.sender);
        token.safeTransfer(to, amount);
    }
}
