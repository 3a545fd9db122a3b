// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Duration256} from "../contracts/types/Duration.sol";
import {Time256} from "../contracts/types/Time.sol";

/// @title ERC-1056: identities with owners, delegates and attributes (`did:ethr`)
/// @notice Functions, events and signed hashes of the reference registry, so that `did:ethr` resolvers work unchanged.
interface IERC1056 {
    // ------------------------------------------------------------------ events

    /// @notice An identity has another owner from now on.
    /// @param identity the identity
    /// @param owner its new owner; zero when the identity was deactivated
    /// @param previousChange block of the change before this one, where its events are found
    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);

    /// @notice A delegate was added or revoked.
    /// @param identity the identity
    /// @param delegateType what the delegate may do, for instance "radledger.consent"
    /// @param delegate who may act for the identity
    /// @param validTo until when; a time that has come means that the delegate was revoked
    /// @param previousChange block of the change before this one, where its events are found
    event DIDDelegateChanged(
        address indexed identity, bytes32 delegateType, address delegate, Time256 validTo, uint256 previousChange
    );

    /// @notice An attribute was set or revoked.
    /// @param identity the identity
    /// @param name name of the attribute
    /// @param value its value
    /// @param validTo until when it holds; zero when it was revoked
    /// @param previousChange block of the change before this one, where its events are found
    event DIDAttributeChanged(
        address indexed identity, bytes32 name, bytes value, Time256 validTo, uint256 previousChange
    );

    // ------------------------------------------------------------------ writes, by the owner

    /// @notice Gives an identity another owner. That cancels recoveries under way and ends what earlier owners wrote:
    /// delegates, attributes (the encryption key is one) and guardians, also of the identities that this one owns.
    /// The zero address deactivates it for good: no account can act for it any more, nor for the identities that it owns.
    /// Consent that they gave can then no longer be revoked, so first revoke it, and give those identities another owner.
    /// @param identity the identity
    /// @param newOwner its new owner, or zero
    function changeOwner(address identity, address newOwner) external;

    /// @notice Adds a delegate.
    /// @param identity the identity
    /// @param delegateType what the delegate may do
    /// @param delegate who may act for the identity
    /// @param validity for how many seconds from now
    function addDelegate(address identity, bytes32 delegateType, address delegate, Duration256 validity) external;

    /// @notice Revokes a delegate.
    /// @param identity the identity
    /// @param delegateType what the delegate may do
    /// @param delegate who may act for the identity
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external;

    /// @notice Sets an attribute, which is kept in the event alone.
    /// @param identity the identity
    /// @param name name of the attribute
    /// @param value its value
    /// @param validity for how many seconds from now it holds
    function setAttribute(address identity, bytes32 name, bytes calldata value, Duration256 validity) external;

    /// @notice Revokes an attribute.
    /// @param identity the identity
    /// @param name name of the attribute
    /// @param value its value
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external;

    // ------------------------------------------------------------------ writes, by the owner's signature

    /// @notice As {changeOwner}, by the owner's signature; anyone may submit it.
    /// @dev Signed is keccak256(0x19 ‖ 0x00 ‖ this ‖ nonce of the owner ‖ identity ‖ "changeOwner" ‖ newOwner), packed;
    /// for the others the function's name without `Signed`, and its arguments in order.
    /// @param identity the identity
    /// @param sigV recovery id of the signature, 27 or 28
    /// @param sigR first half of the signature
    /// @param sigS second half of the signature
    /// @param newOwner its new owner, or zero
    function changeOwnerSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, address newOwner) external;

    /// @notice As {addDelegate}, by the owner's signature; anyone may submit it.
    /// @param identity the identity
    /// @param sigV recovery id of the signature, 27 or 28
    /// @param sigR first half of the signature
    /// @param sigS second half of the signature
    /// @param delegateType what the delegate may do
    /// @param delegate who may act for the identity
    /// @param validity for how many seconds from now
    function addDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate,
        Duration256 validity
    ) external;

    /// @notice As {revokeDelegate}, by the owner's signature; anyone may submit it.
    /// @param identity the identity
    /// @param sigV recovery id of the signature, 27 or 28
    /// @param sigR first half of the signature
    /// @param sigS second half of the signature
    /// @param delegateType what the delegate may do
    /// @param delegate who may act for the identity
    function revokeDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate
    ) external;

    /// @notice As {setAttribute}, by the owner's signature; anyone may submit it.
    /// @param identity the identity
    /// @param sigV recovery id of the signature, 27 or 28
    /// @param sigR first half of the signature
    /// @param sigS second half of the signature
    /// @param name name of the attribute
    /// @param value its value
    /// @param validity for how many seconds from now it holds
    function setAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value,
        Duration256 validity
    ) external;

    /// @notice As {revokeAttribute}, by the owner's signature; anyone may submit it.
    /// @param identity the identity
    /// @param sigV recovery id of the signature, 27 or 28
    /// @param sigR first half of the signature
    /// @param sigS second half of the signature
    /// @param name name of the attribute
    /// @param value its value
    function revokeAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value
    ) external;

    // ------------------------------------------------------------------ views

    /// @notice The owner that was set for an identity.
    /// @param identity the identity
    /// @return owner its owner; zero where none was set
    function owners(address identity) external view returns (address owner);

    /// @notice Until when a delegate was added; {validDelegate} says whether that still counts.
    /// @param identity the identity
    /// @param typeHash keccak256 of what the delegate may do
    /// @param delegate who may act for the identity
    /// @return validTo until when; zero for one that was never added
    function delegates(address identity, bytes32 typeHash, address delegate) external view returns (Time256 validTo);

    /// @notice The block of an identity's last change.
    /// @param identity the identity
    /// @return number number of the block; zero when it was never changed
    function changed(address identity) external view returns (uint256 number);

    /// @notice The nonce of the next change that an account signs.
    /// @param signer the account
    /// @return number the nonce
    function nonce(address signer) external view returns (uint256 number);

    /// @notice The owner of an identity.
    /// @param identity the identity
    /// @return owner itself where none was set; zero once it was deactivated
    function identityOwner(address identity) external view returns (address owner);

    /// @notice Whether an account is a delegate now.
    /// @param identity the identity
    /// @param delegateType what the delegate may do
    /// @param delegate who may act for the identity
    /// @return valid whether it was added by the present owner, and neither revoked nor expired
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool valid);
}
