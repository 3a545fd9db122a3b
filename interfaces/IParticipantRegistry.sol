// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {RoleMask} from "../contracts/types/RoleMask.sol";

/// @title Who is accredited as what, and by whom
/// @notice Governors admit institutions with the roles that an institution and its members may hold; an institution
/// admits its members within those roles; either suspends. Patients need no accreditation.
/// @dev Role masks are made of the bits in `contracts/lib/Roles.sol`. Every view answers for this moment.
/// @dev What this contract trusts:
/// - The governors: one alone admits and suspends institutions and participants; more than half of them add or remove
/// a governor. They cannot act as an institution or as its member.
/// - An institution, for its own members only: it vouches that an address is who it says, within the roles that the
/// governors gave it. It may admit an address without asking; that address may leave at once. A suspension before that
/// stays, and with it the address reads nothing by others' grants, until a governor lifts it or another institution
/// admits the address. It does not keep the address from becoming an institution: the governors' admission goes first.
/// - The ERC-2771 forwarder given at construction: it may speak for any account. It must verify signatures, and is
/// fixed.
interface IParticipantRegistry {
    // ------------------------------------------------------------------------------------------------------- Errors

    /// @notice `account` belongs to no institution.
    error ParticipantNotAccredited(address account);

    /// @notice `account`, or `institution` to which it belongs, is suspended.
    error ParticipantIsSuspended(address account, address institution);

    /// @notice `account` holds the roles `held`, and `role` is not among them.
    error ParticipantLacksRole(address account, RoleMask role, RoleMask held);

    /// @notice `account` is not a governor.
    error ParticipantNotGovernor(address account);

    /// @notice `account` is a governor already.
    error ParticipantAlreadyGovernor(address account);

    /// @notice `account` is the last governor, who cannot be removed.
    error ParticipantLastGovernor(address account);

    /// @notice `governor` has voted on this change already.
    error ParticipantAlreadyVoted(address governor, address account, bool add);

    /// @notice `account` is not an accredited institution.
    error ParticipantNotInstitution(address account);

    /// @notice `account` is an institution: it cannot be a member of one, nor leave.
    error ParticipantIsInstitution(address account);

    /// @notice `account` belongs to `institution` until it leaves.
    error ParticipantBelongsTo(address account, address institution);

    /// @notice `roles` is empty or holds a bit that is not among `permitted`.
    error ParticipantRolesNotPermitted(RoleMask roles, RoleMask permitted);

    /// @notice `actor` is neither a governor nor the institution of `account`.
    error ParticipantNoAuthority(address account, address actor);

    /// @notice `account` is suspended already by the authority of `actor`.
    error ParticipantAlreadySuspended(address account, address actor);

    /// @notice No suspension of `account` is one that `actor` may lift.
    error ParticipantNotSuspended(address account, address actor);

    /// @notice The zero address cannot be a participant.
    error ParticipantZeroAddress();

    /// @notice No governor is given; a registry starts with at least one.
    error ParticipantNoGovernors();

    // ------------------------------------------------------------------------------------------------------- Events

    /// @notice `account` was admitted by `institution`; an institution's own `institution` is itself.
    event ParticipantAdmitted(address indexed account, address indexed institution, RoleMask roles);

    /// @notice The accredited roles of `account` were replaced.
    event ParticipantRolesChanged(address indexed account, address indexed institution, RoleMask roles);

    /// @notice `account` left `institution`.
    event ParticipantLeft(address indexed account, address indexed institution);

    /// @notice `actor` suspended `account`; `status` is what stands afterwards, in the bits of `statusOf`. A member
    /// that leaves a suspended institution takes its suspension along, and is the `actor` itself.
    event ParticipantSuspended(address indexed account, address indexed actor, uint8 status);

    /// @notice `actor` lifted a suspension of `account`; `status` is what stands afterwards, in the bits of `statusOf`.
    event ParticipantReinstated(address indexed account, address indexed actor, uint8 status);

    /// @notice `governor` voted to add or remove `account`; `votes` have been cast for it in this `round`.
    event ParticipantGovernorVoted(
        address indexed governor, address indexed account, bool add, uint256 votes, uint256 round
    );

    /// @notice `account` became a governor; a new round of votes begins.
    event ParticipantGovernorAdded(address indexed account);

    /// @notice `account` is no longer a governor; a new round of votes begins.
    event ParticipantGovernorRemoved(address indexed account);

    // --------------------------------------------------------------------------------------------------- Governance

    /// @notice Votes to add (`add`) or remove `account` as a governor. The vote that makes more than half of the
    /// governors carries the change out.
    /// @dev Each change of governors starts a new round, in which all earlier votes are void: a vote always comes from
    /// one of those governors whose majority is asked.
    function voteGovernor(address account, bool add) external;

    /// @notice How many governors there are.
    function governorCount() external view returns (uint256);

    /// @notice The round in which votes now count: the number of changes of governors so far.
    function governorRound() external view returns (uint256);

    /// @notice The votes cast in this round to add or remove `account`.
    function governorVotes(address account, bool add) external view returns (uint256);

    // ------------------------------------------------------------------------------------------------ Accreditation

    /// @notice A governor admits `institution`, or replaces its roles; a role taken away is gone for its members too.
    /// @dev A member of another institution leaves that one, and a suspension by it ends.
    /// @param institution Any address.
    /// @param roles The roles that the institution and its members may hold; not empty, never `GOVERNOR`.
    function admitInstitution(address institution, RoleMask roles) external;

    /// @notice An institution admits `account` as its member, or replaces its member's roles.
    /// @dev Admitting lifts a suspension that an earlier institution left behind, but never a governor's.
    /// @param account An address that belongs to no other institution.
    /// @param roles The member's roles, within those of the institution; not empty.
    function admit(address account, RoleMask roles) external;

    /// @notice The sender leaves its institution. A suspension, its own or the institution's, stays until a new institution
    /// admits the sender (if no governor imposed it on the sender itself) or a governor lifts it.
    function leave() external;

    /// @notice Suspends `account`: an institution its member, a governor any address, also one that has left its
    /// institution or never had one.
    function suspend(address account) external;

    /// @notice Lifts the sender's own kind of suspension: an institution cannot lift a governor's. Where the account
    /// has left its institution, a governor lifts either.
    function reinstate(address account) external;

    // -------------------------------------------------------------------------------------------------------- Views

    /// @notice The institution of `account`, suspended or not; itself for an institution; zero where there is none.
    function institutionOf(address account) external view returns (address);

    /// @notice The roles that `account` may use now: its own within those of its institution, none while either is
    /// suspended; and `GOVERNOR`, which depends on neither.
    function rolesOf(address account) external view returns (RoleMask);

    /// @notice Whether `account` may use `role` now; where `role` has several bits, all of them.
    function hasRole(address account, RoleMask role) external view returns (bool);

    /// @notice Whether `account` belongs to an institution, and neither is suspended.
    function isActive(address account) external view returns (bool);

    /// @notice What the permission oracle asks about a reader.
    /// @return institution The institution of `account`, or zero.
    /// @return suspended Whether `account` or its institution is suspended.
    function standing(address account) external view returns (address institution, bool suspended);

    /// @notice When `account` was admitted by its present institution (Unix time), or zero.
    function sinceOf(address account) external view returns (uint256);

    /// @notice The suspensions of `account` itself: bit 0 by an institution, bit 1 by a governor.
    function statusOf(address account) external view returns (uint8);

    /// @notice Reverts with the reason unless `account` may use `role` now.
    /// @return institution The institution of `account`; zero for a governor who belongs to none.
    function requireRole(address account, RoleMask role) external view returns (address institution);
}
