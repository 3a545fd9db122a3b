// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {Duration256} from "../types/Duration.sol";

/// @title What is stored of an identity and of its delegates
library Identities {
    enum Status {
        Active,
        Recovering,
        Deactivated
    }

    /// @dev One word, from the lowest bit: owner (160) | changed (32) | nonce (24) | round (16) | tenure (16) | status (8).
    /// @param owner as set; zero where none was, or once deactivated
    /// @param changed block of the last change; at a block a second it lasts 136 years
    /// @param nonce how many changes this address signed, of all identities that it controlled
    /// @param round which approvals of guardians count
    /// @param tenure how often the owner was set
    struct Identity {
        address owner;
        uint32 changed;
        uint24 nonce;
        uint16 round;
        uint16 tenure;
        Status status;
    }

    /// @dev One word, from the lowest bit: validTo (192) | mandate (64).
    /// @param validTo until when
    /// @param mandate the identity's mandate when the delegate was added
    struct Delegation {
        uint192 validTo;
        uint64 mandate;
    }

    /// @dev Far beyond any use, and safe to add to a time and to store in a `Delegation`.
    uint256 internal constant LONGEST_VALIDITY = type(uint128).max;

    // A mandate has room for four tenures: those of an identity, its owner, the owner's owner and the owner of that.
    uint256 internal constant TENURE_BITS = 16;
    uint256 internal constant MANDATE_BITS = 64;

    /// @notice The time that is `validity` seconds from now.
    function until(Duration256 validity) internal view returns (uint256) {
        if (Duration256.unwrap(validity) > LONGEST_VALIDITY) {
            revert IIdentityRegistry.IdentityValidityTooLong(validity, Duration256.wrap(LONGEST_VALIDITY));
        }
        return block.timestamp + Duration256.unwrap(validity);
    }

    /// @notice The owner of `account`, whose record is `self`; zero once deactivated.
    function ownerOf(Identity storage self, address account) internal view returns (address) {
        address owner = self.owner;
        if (owner != address(0) || self.status == Status.Deactivated) return owner;
        return account;
    }

    /// @notice Who acts as the owner of `identity`, and under which mandate.
    /// @dev The one rule of authority. An owner whose own identity has another owner does not act; its owner
    /// does, and so on for four identities, or until the path is back at the identity. The mandate is the
    /// tenures along that path, 16 bits each: it differs once the owner of any of them was set again.
    /// @return controller Zero if an identity on the path is deactivated, or if the path is longer.
    function authority(mapping(address => Identity) storage self, address identity)
        internal
        view
        returns (address controller, uint64 mandate)
    {
        address account = identity;
        for (uint256 shift = 0; shift < MANDATE_BITS; shift += TENURE_BITS) {
            Identity storage record = self[account];
            mandate |= uint64(record.tenure) << shift;
            controller = ownerOf(record, account);
            if (controller == account || controller == identity) return (controller, mandate);
            account = controller;
        }
        return (address(0), mandate);
    }

    /// @notice Marks a change in this block and returns the block of the one before.
    function touch(Identity storage self) internal returns (uint256 previousChange) {
        previousChange = self.changed;
        self.changed = uint32(block.number);
    }

    /// @notice Sets the owner, zero for good, and marks the change. Another tenure is another mandate, which voids what
    /// was written under the last one.
    /// @dev The fields are assigned side by side so that the compiler makes one store of them.
    function setOwner(Identity storage self, address newOwner) internal returns (uint256 previousChange) {
        uint16 tenure = self.tenure + 1;
        previousChange = self.changed;
        self.owner = newOwner;
        self.changed = uint32(block.number);
        self.tenure = tenure;
        self.status = newOwner == address(0) ? Status.Deactivated : Status.Active;
    }

    /// @notice Voids the recoveries under way.
    function cancelRecoveries(Identity storage self) internal {
        ++self.round;
        self.status = Status.Active;
    }
}
