// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";

/// @title The forwarder through which a person without Ether speaks
/// @notice OpenZeppelin's ERC-2771 forwarder as it is: it checks a signed request, its nonce and deadline, and passes
/// the call on with the signer as its sender. This names its EIP-712 domain.
contract Forwarder is ERC2771Forwarder {
    constructor() ERC2771Forwarder("RadLedger Forwarder") {}
}
