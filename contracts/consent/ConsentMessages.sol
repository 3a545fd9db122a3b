// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";

/// @title The typed data that a subject signs, as EIP-712 struct hashes
/// @notice Every field has its own name and type, so that a wallet can show what is signed.
library ConsentMessages {
    bytes32 private constant GRANT = keccak256(
        "Grant(address subject,address grantee,bytes32 scope,uint40 from,uint40 until,uint16 purposes,uint16 conditions,bytes13 disease,uint64 nonce,uint40 deadline)"
    );
    bytes32 private constant REVOKE =
        keccak256("Revoke(address subject,address grantee,bytes32 scope,uint64 nonce,uint40 deadline)");
    bytes32 private constant REVOKE_ALL = keccak256("RevokeAll(address subject,uint64 nonce,uint40 deadline)");
    bytes32 private constant APPROVE = keccak256(
        "Approve(address requester,address subject,address grantee,bytes32 scope,uint40 from,uint40 until,uint16 purposes,uint16 conditions,bytes13 disease,uint64 nonce,uint40 deadline)"
    );

    function grant(
        address subject,
        address grantee,
        bytes32 scope,
        IConsentRegistry.Terms calldata terms,
        uint64 nonce,
        uint40 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(GRANT, subject, grantee, scope, terms, nonce, deadline));
    }

    function revoke(address subject, address grantee, bytes32 scope, uint64 nonce, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(REVOKE, subject, grantee, scope, nonce, deadline));
    }

    function revokeAll(address subject, uint64 nonce, uint40 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE_ALL, subject, nonce, deadline));
    }

    function approve(
        address requester,
        address subject,
        address grantee,
        bytes32 scope,
        IConsentRegistry.Terms calldata terms,
        uint64 nonce,
        uint40 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(APPROVE, requester, subject, grantee, scope, terms, nonce, deadline));
    }
}
