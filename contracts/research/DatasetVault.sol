// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDatasetTreasury} from "../../interfaces/IDatasetTreasury.sol";
import {IDatasetVault} from "../../interfaces/IDatasetVault.sol";

/// @title DatasetVault
/// @notice Holds the money of one data set. See {IDatasetVault}.
contract DatasetVault is IDatasetVault {
    using SafeERC20 for IERC20;

    address private immutable _registry;
    IERC20 private immutable _token;

    // ------------------------------------------------------------------ construction

    /// @dev Asks the registry for the token: an argument would make the vault's address depend on it.
    constructor() {
        _registry = msg.sender;
        _token = IDatasetTreasury(msg.sender).tokenOfNewVault();
    }

    // ------------------------------------------------------------------ writes

    /// @inheritdoc IDatasetVault
    function pay(address to, uint256 amount) external {
        if (msg.sender != _registry) revert VaultNotRegistry(msg.sender);
        _token.safeTransfer(to, amount);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDatasetVault
    function token() external view returns (IERC20) {
        return _token;
    }
}
