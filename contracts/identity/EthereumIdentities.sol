// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IERC1056} from "../../interfaces/IERC1056.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {Duration256} from "../types/Duration.sol";
import {Time256} from "../types/Time.sol";
import {Identities} from "./Identities.sol";

/// @title EthereumIdentities
/// @notice The half of the identity registry that is ERC-1056: owners, delegates and attributes. See {IERC1056}.
abstract contract EthereumIdentities is IIdentityRegistry, ERC2771Context {
    using Identities for Identities.Identity;
    using Identities for mapping(address => Identities.Identity);

    mapping(address identity => Identities.Identity) internal _identities;
    mapping(address identity => mapping(bytes32 typeHash => mapping(address delegate => Identities.Delegation))) private
        _delegations;

    modifier onlyOwner(address identity) {
        _requireOwner(identity, _msgSender());
        _;
    }

    // ------------------------------------------------------------------ writes, by the owner

    /// @inheritdoc IERC1056
    function changeOwner(address identity, address newOwner) external onlyOwner(identity) {
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IERC1056
    function addDelegate(address identity, bytes32 delegateType, address delegate, Duration256 validity)
        external
        onlyOwner(identity)
    {
        _setDelegate(identity, delegateType, delegate, Identities.until(validity));
    }

    /// @inheritdoc IERC1056
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external onlyOwner(identity) {
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IERC1056
    function setAttribute(address identity, bytes32 name, bytes calldata value, Duration256 validity)
        external
        onlyOwner(identity)
    {
        _setAttribute(identity, name, value, Identities.until(validity));
    }

    /// @inheritdoc IERC1056
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external onlyOwner(identity) {
        _setAttribute(identity, name, value, 0);
    }

    // ------------------------------------------------------------------ writes, by the owner's signature

    /// @inheritdoc IERC1056
    function changeOwnerSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, address newOwner) external {
        _requireSigned(identity, sigV, sigR, sigS, abi.encodePacked(identity, "changeOwner", newOwner));
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IERC1056
    function addDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate,
        Duration256 validity
    ) external {
        bytes memory change = abi.encodePacked(identity, "addDelegate", delegateType, delegate, validity);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setDelegate(identity, delegateType, delegate, Identities.until(validity));
    }

    /// @inheritdoc IERC1056
    function revokeDelegateSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 delegateType,
        address delegate
    ) external {
        bytes memory change = abi.encodePacked(identity, "revokeDelegate", delegateType, delegate);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IERC1056
    function setAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value,
        Duration256 validity
    ) external {
        bytes memory change = abi.encodePacked(identity, "setAttribute", name, value, validity);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setAttribute(identity, name, value, Identities.until(validity));
    }

    /// @inheritdoc IERC1056
    function revokeAttributeSigned(
        address identity,
        uint8 sigV,
        bytes32 sigR,
        bytes32 sigS,
        bytes32 name,
        bytes calldata value
    ) external {
        bytes memory change = abi.encodePacked(identity, "revokeAttribute", name, value);
        _requireSigned(identity, sigV, sigR, sigS, change);
        _setAttribute(identity, name, value, 0);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC1056
    function owners(address identity) external view returns (address) {
        return _identities[identity].owner;
    }

    /// @inheritdoc IERC1056
    function delegates(address identity, bytes32 typeHash, address delegate) external view returns (Time256) {
        return Time256.wrap(_delegations[identity][typeHash][delegate].validTo);
    }

    /// @inheritdoc IERC1056
    function changed(address identity) external view returns (uint256) {
        return _identities[identity].changed;
    }

    /// @inheritdoc IERC1056
    function nonce(address signer) external view returns (uint256) {
        return _identities[signer].nonce;
    }

    /// @inheritdoc IERC1056
    function identityOwner(address identity) public view returns (address) {
        return _identities[identity].ownerOf(identity);
    }

    /// @inheritdoc IERC1056
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool) {
        return _isDelegate(identity, delegateType, delegate, _mandateOf(identity));
    }

    /// @inheritdoc IIdentityRegistry
    function mayAct(address identity, address actor, bytes32 delegateType) external view returns (bool) {
        (address controller, uint64 mandate) = _identities.authority(identity);
        // A deactivated identity is controlled by the zero address, which acts for none.
        if (actor == controller) return actor != address(0);
        // A delegate that lost its own identity does not act for others either.
        if (actor != identity && identityOwner(actor) != actor) return false;
        return _isDelegate(identity, delegateType, actor, mandate);
    }

    /// @inheritdoc IIdentityRegistry
    function controllerOf(address identity) public view returns (address controller) {
        (controller,) = _identities.authority(identity);
    }

    // ------------------------------------------------------------------ internal

    function _requireOwner(address identity, address actor) internal view returns (uint64 mandate) {
        address controller;
        (controller, mandate) = _identities.authority(identity);
        if (actor != controller) revert IdentityNotOwner(identity, actor);
    }

    /// @dev Checks the signature of `change` by who acts as the owner, and uses up a nonce of that key.
    function _requireSigned(address identity, uint8 sigV, bytes32 sigR, bytes32 sigS, bytes memory change) private {
        address owner = controllerOf(identity);
        Identities.Identity storage signing = _identities[owner];
        bytes32 digest = keccak256(abi.encodePacked(bytes1(0x19), bytes1(0), this, uint256(signing.nonce), change));
        // A malformed signature recovers to zero, which also is the owner of a deactivated identity.
        (address signer,,) = ECDSA.tryRecover(digest, sigV, sigR, sigS);
        if (signer == address(0) || signer != owner) revert IdentityBadSignature(identity, owner, signer);
        ++signing.nonce;
    }

    function _changeOwner(address identity, address newOwner) internal {
        uint256 previousChange = _identities[identity].setOwner(newOwner);
        emit DIDOwnerChanged(identity, newOwner, previousChange);
    }

    function _setDelegate(address identity, bytes32 delegateType, address delegate, uint256 validTo) private {
        _delegations[identity][_typeHash(delegateType)][delegate] =
            Identities.Delegation({validTo: uint192(validTo), mandate: _mandateOf(identity)});
        uint256 previousChange = _identities[identity].touch();
        emit DIDDelegateChanged(identity, delegateType, delegate, Time256.wrap(validTo), previousChange);
    }

    function _setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validTo) private {
        uint256 previousChange = _identities[identity].touch();
        emit DIDAttributeChanged(identity, name, value, Time256.wrap(validTo), previousChange);
    }

    /// @dev Whether `delegate` was added under `mandate`, the identity's own now, and has not expired.
    function _isDelegate(address identity, bytes32 delegateType, address delegate, uint64 mandate)
        private
        view
        returns (bool)
    {
        Identities.Delegation memory delegation = _delegations[identity][_typeHash(delegateType)][delegate];
        return delegation.validTo > block.timestamp && delegation.mandate == mandate;
    }

    function _mandateOf(address identity) internal view returns (uint64 mandate) {
        (, mandate) = _identities.authority(identity);
    }

    /// @dev The key of the reference registry, which its getter `delegates` takes.
    function _typeHash(bytes32 delegateType) private pure returns (bytes32) {
        return keccak256(abi.encode(delegateType));
    }
}
