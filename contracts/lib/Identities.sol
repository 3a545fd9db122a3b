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
    /// | bits    | field      | meaning                                                                     |
    /// |---------|------------|-----------------------------------------------------------------------------|
    /// | 0–159   | owner      | as set; zero: the identity itself, or nobody once deactivated               |
    /// | 160–191 | changed    | block of the last change; at a block a second it lasts 136 years            |
    /// | 192–215 | nonce      | signed changes that this address made, of whichever identities it owned     |
    /// | 216–231 | round      | guardians' approvals of other rounds count no longer                        |
    /// | 232–247 | recoveries | how often it was recovered                                                  |
    /// | 248–255 | status     | `Status`                                                                    |
    struct Identity {
        address owner;
        uint32 changed;
        uint24 nonce;
        uint16 round;
        uint16 recoveries;
        Status status;
    }

    /// @dev One slot: until when (bits 0–239), and the identity's `recoveries` when it was appointed (240–255).
    struct Delegation {
        uint240 validTo;
        uint16 recoveries;
    }

    /// @dev Far beyond any use, and safe to add to a time and to store in a `Delegation`.
    uint256 internal constant LONGEST_VALIDITY = type(uint128).max;

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

    /// @notice Whether `delegation` stands now: not lapsed, not outlived by a recovery or a deactivation.
    function accepts(Identity storage self, Delegation memory delegation) internal view returns (bool) {
        return delegation.validTo > block.timestamp && delegation.recoveries == self.recoveries
            && self.status != Status.Deactivated;
    }

    /// @notice Marks a change in this block and returns the block of the one before.
    function touch(Identity storage self) internal returns (uint256 previousChange) {
        previousChange = self.changed;
        self.changed = uint32(block.number);
    }

    /// @notice Sets the owner, zero for good, voids the recoveries under way and marks the change.
    /// @dev The fields are assigned side by side so that the compiler makes one store of them.
    function setOwner(Identity storage self, address newOwner) internal returns (uint256 previousChange) {
        uint16 round = self.round + 1;
        Status status = newOwner == address(0) ? Status.Deactivated : Status.Active;
        previousChange = self.changed;
        self.owner = newOwner;
        self.changed = uint32(block.number);
        self.round = round;
        self.status = status;
    }

    /// @notice Voids the recoveries under way.
    function cancelRecoveries(Identity storage self) internal {
        ++self.round;
        self.status = Status.Active;
    }
}
