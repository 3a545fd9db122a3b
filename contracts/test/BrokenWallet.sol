// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A contract that answers every question about a signature with bytes of its own
contract BrokenWallet {
    bytes private _answer;

    /// @param answer what it returns; empty: it reverts
    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata data) external returns (bytes memory) {
        require(bytes4(data) == IERC1271.isValidSignature.selector && _answer.length != 0);
        return _answer;
    }
}
