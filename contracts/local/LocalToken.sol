// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A plain ERC-20 token for local networks
/// @notice Rewards on a real network are paid in a token that exists there.
contract LocalToken is ERC20 {
    /// @param holder who gets the whole supply
    /// @param supply number of base units, 10^18 to a token
    constructor(address holder, uint256 supply) ERC20("RadLedger Local Token", "RLT") {
        _mint(holder, supply);
    }
}
