// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";

/// @title What is stored of an identity and of its delegates
library Identities {
    enum Status {
        Active,
        Recovering,
        Deactivated
    }

    /// @dev One slot:
    ///
    /// | bits    | field   | meaning                                                                      |
    /// |---------|---------|------------------------------------------------------------------------------|
    /// | 0–159   | owner   | as set; zero: the identity itself, or nobody once deactivated                |
    /// | 160–191 | changed | block of the last change; at a block a second it lasts 136 years             |
    /// | 192–215 | nonce   | signed changes that this address made, of whichever identities it controlled |
    /// | 216–231 | round   | guardians' approvals of other rounds do not count                            |
    /// | 232–247 | tenure  | how often its owner was set                                                  |
    /// | 248–255 | status  | `Status`                                                                     |
    struct Identity {
        address owner;
        uint32 changed;
        uint24 nonce;
        uint16 round;
        uint16 tenure;
        Status status;
    }

    /// @dev One slot: until when (bits 0–191), and the identity's mandate when the delegate was appointed (192–255).
    struct Delegation {
        uint192 validTo;
        uint64 mandate;
    }

    /// @dev Far beyond any use, and safe to add to a time and to store in a `Delegation`.
    uint256 internal constant LONGEST_VALIDITY = type(uint128).max;

    /// @dev An identity, its owner, the owner's owner and the owner of that: as many tenures as a mandate has room for.
    uint256 private constant MOST_STEPS = 4;

    /// @notice The time, from now, at which `validity` seconds will have passed.
    function until(uint256 validity) internal view returns (uint256) {
        if (validity > LONGEST_VALIDITY) {
            revert IIdentityRegistry.IdentityValidityTooLong(validity, LONGEST_VALIDITY);
        }
        return block.timestamp + validity;
    }

    /// @notice The owner of `account`, whose record is `self`; zero once deactivated.
    function ownerOf(Identity storage self, address account) internal view returns (address) {
        address owner = self.owner;
        if (owner != address(0) || self.status == Status.Deactivated) return owner;
        return account;
    }

    /// @notice Who acts as the owner of `identity`, and under which mandate.
    /// @dev The one rule of authority. An owner whose own identity was handed on or recovered does not act; its owner
    /// does, and so on for `MOST_STEPS` identities, or until the path is back at the identity. The mandate is the
    /// tenures along that path, 16 bits each: it differs once the owner of any of them was set again.
    /// @return controller Zero if an identity on the path is deactivated, or if the path is longer.
    function authority(mapping(address => Identity) storage self, address identity)
        internal
        view
        returns (address controller, uint64 mandate)
    {
        address account = identity;
        for (uint256 step = 0; step < MOST_STEPS; ++step) {
            Identity storage record = self[account];
            mandate |= uint64(record.tenure) << uint64(16 * step);
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
