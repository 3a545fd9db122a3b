// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {Authorization} from "../types/Authorization.sol";
import {Scope} from "../types/Scope.sol";
import {Time32} from "../types/Time.sol";

/// @title The typed data that a subject signs, as EIP-712 struct hashes
/// @notice Every field has its own name and type, so that a wallet can show what is signed.
library ConsentMessages {
    bytes32 private constant GRANT = keccak256(
        "Grant(address subject,address grantee,bytes32 scope,uint32 from,uint32 until,uint16 purposes,uint16 conditions,bytes13 disease,uint32 seen,uint16 epoch,uint32 signed,uint40 deadline)"
    );
    bytes32 private constant REVOKE =
        keccak256("Revoke(address subject,address grantee,bytes32 scope,uint32 signed,uint40 deadline)");
    bytes32 private constant REVOKE_ALL =
        keccak256("RevokeAll(address subject,uint16 epoch,uint32 signed,uint40 deadline)");
    bytes32 private constant APPROVE = keccak256(
        "Approve(address requester,address subject,address grantee,bytes32 scope,uint32 from,uint32 until,uint16 purposes,uint16 conditions,bytes13 disease,uint32 seen,uint16 epoch,uint32 signed,uint40 deadline)"
    );

    bytes32 private constant FORBID_EMERGENCIES =
        keccak256("ForbidEmergencies(address subject,bool forbidden,uint32 seen,uint32 signed,uint40 deadline)");

    function grant(
        address subject,
        address grantee,
        Scope scope,
        IConsentRegistry.Terms calldata terms,
        IConsentRegistry.Basis calldata basis,
        Authorization calldata authorization
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(GRANT, subject, grantee, scope, terms, basis, authorization.signed, authorization.deadline)
        );
    }

    function revoke(address subject, address grantee, Scope scope, Authorization calldata authorization)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(REVOKE, subject, grantee, scope, authorization.signed, authorization.deadline));
    }

    function revokeAll(address subject, uint16 epoch, Authorization calldata authorization)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(REVOKE_ALL, subject, epoch, authorization.signed, authorization.deadline));
    }

    function approve(
        address requester,
        address subject,
        address grantee,
        Scope scope,
        IConsentRegistry.Terms calldata terms,
        IConsentRegistry.Basis calldata basis,
        Authorization calldata authorization
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                APPROVE, requester, subject, grantee, scope, terms, basis, authorization.signed, authorization.deadline
            )
        );
    }

    function forbidEmergencies(address subject, bool forbidden, Time32 seen, Authorization calldata authorization)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(FORBID_EMERGENCIES, subject, forbidden, seen, authorization.signed, authorization.deadline)
        );
    }
}
