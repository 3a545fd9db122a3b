// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentGrants} from "../../interfaces/IConsentGrants.sol";
import {Authorization} from "../types/Authorization.sol";
import {Scope} from "../types/Scope.sol";
import {Time, Time32} from "../types/Time.sol";
import {DataUseWords} from "./DataUseWords.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @title The typed data that a subject signs, as EIP-712 struct hashes
/// @notice Every field has its own name and type, so that a wallet can show what is signed.
library ConsentMessages {
    bytes32 private constant GRANT = keccak256(
        "Grant(address subject,address grantee,bytes32 scope,uint32 from,uint32 until,string[] purposes,string[] conditions,bytes13 disease,uint32 seen,uint16 epoch,uint32 signed,uint40 deadline)"
    );
    bytes32 private constant REVOKE =
        keccak256("Revoke(address subject,address grantee,bytes32 scope,uint32 signed,uint40 deadline)");
    bytes32 private constant REVOKE_ALL =
        keccak256("RevokeAll(address subject,uint16 epoch,uint32 signed,uint40 deadline)");
    bytes32 private constant APPROVE = keccak256(
        "Approve(address requester,address subject,address grantee,bytes32 scope,uint32 from,uint32 until,string[] purposes,string[] conditions,bytes13 disease,uint32 seen,uint16 epoch,uint32 signed,uint40 deadline)"
    );

    bytes32 private constant FORBID_EMERGENCIES =
        keccak256("ForbidEmergencies(address subject,bool forbidden,uint32 seen,uint32 signed,uint40 deadline)");

    function grant(
        address subject,
        address grantee,
        Scope scope,
        GrantSlot asked,
        IConsentGrants.Basis calldata basis,
        Authorization calldata authorization
    ) internal pure returns (bytes32 hash) {
        uint256[14] memory fields = _fields(subject, grantee, scope, asked, basis, authorization);
        fields[1] = uint256(GRANT);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            hash := keccak256(add(fields, 0x20), mul(13, 0x20))
        }
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
        GrantSlot asked,
        IConsentGrants.Basis calldata basis,
        Authorization calldata authorization
    ) internal pure returns (bytes32 hash) {
        uint256[14] memory fields = _fields(subject, grantee, scope, asked, basis, authorization);
        fields[0] = uint256(APPROVE);
        fields[1] = uint160(requester);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            hash := keccak256(fields, mul(14, 0x20))
        }
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

    /// @dev What a grant and an approval end with, after two fields that are the caller's. An array in memory is laid out
    /// as the data of a struct is hashed (EIP-712), so it is hashed where it is: `abi.encode` would copy it, for 900 gas.
    function _fields(
        address subject,
        address grantee,
        Scope scope,
        GrantSlot asked,
        IConsentGrants.Basis calldata basis,
        Authorization calldata authorization
    ) private pure returns (uint256[14] memory fields) {
        fields[2] = uint160(subject);
        fields[3] = uint160(grantee);
        fields[4] = uint256(Scope.unwrap(scope));
        fields[5] = asked.from();
        fields[6] = asked.until();
        fields[7] = uint256(DataUseWords.purposes(asked.purposes()));
        fields[8] = uint256(DataUseWords.conditions(asked.conditions()));
        fields[9] = asked.diseaseBits() << 152;
        fields[10] = Time32.unwrap(basis.seen);
        fields[11] = basis.epoch;
        fields[12] = Time32.unwrap(authorization.signed);
        fields[13] = Time.unwrap(authorization.deadline);
    }
}
