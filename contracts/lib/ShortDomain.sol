// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title The domain of a contract's signatures (EIP-712), whose name is a constant
/// @notice OpenZeppelin's keeps name and version in words, and has 400 bytes of code to read them and longer ones.
abstract contract ShortDomain is EIP712 {
    // ------------------------------------------------------------------ views

    /// @notice The domain of all signatures (EIP-5267).
    function eip712Domain()
        public
        view
        override
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        (name, version) = _domain();
        return (hex"0f", name, version, block.chainid, address(this), 0, new uint256[](0));
    }

    // ------------------------------------------------------------------ internal

    /// @dev The name and the version that the constructor gives {EIP712}.
    function _domain() internal pure virtual returns (string memory name, string memory version);
}
