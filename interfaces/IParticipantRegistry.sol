// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {RoleMask} from "../contracts/types/RoleMask.sol";
import {Time} from "../contracts/types/Time.sol";

/// @title Who is accredited as what, and by whom
/// @notice Governors admit institutions with the roles that an institution and its members may hold; an institution
/// admits its members within those roles; either suspends. Patients need no accreditation.
/// @dev Role masks are made of the bits in `contracts/lib/Roles.sol`. Every view answers for this moment.
/// @dev What this contract trusts, and with what:
/// - the governors: one alone admits and suspends institutions and participants; more than half of them add or remove
/// a governor. They cannot act as an institution or as its member;
/// - an institution, for its own members only: that an address is who it says, within the roles that the governors gave
/// it. It may admit an address without asking; that address may leave at once. A suspension before that stays, and with
/// it the address reads nothing by others' grants, until a governor lifts it or another institution admits the address.
/// It does not keep the address from becoming an institution: the governors' admission goes first;
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771).
interface IParticipantRegistry {
    // ------------------------------------------------------------------ errors

    /// @notice `account` belongs to no institution.
    /// @param account the account
    error ParticipantNotAccredited(address account);

    /// @notice `account`, or its institution `institution`, is suspended.
    /// @param account the account
    /// @param institution its institution
    error ParticipantIsSuspended(address account, address institution);

    /// @notice `account` lacks the role `role`; it holds `held`.
    /// @param account the account
    /// @param role the roles asked for
    /// @param held the roles that it may use now
    error ParticipantLacksRole(address account, RoleMask role, RoleMask held);

    /// @notice `account` is not a governor.
    /// @param account the account
    error ParticipantNotGovernor(address account);

    /// @notice `account` is already a governor.
    /// @param account the account
    error ParticipantAlreadyGovernor(address account);

    /// @notice `account` is the last governor and cannot be removed.
    /// @param account the governor
    error ParticipantLastGovernor(address account);

    /// @notice `governor` already voted on this change.
    /// @param governor who votes
    /// @param account the governor to add or remove
    /// @param add whether to add it
    error ParticipantAlreadyVoted(address governor, address account, bool add);

    /// @notice `account` is not an accredited institution.
    /// @param account the account
    error ParticipantNotInstitution(address account);

    /// @notice `account` is an institution: it can neither be a member of one nor leave.
    /// @param account the institution
    error ParticipantIsInstitution(address account);

    /// @notice `account` still belongs to `institution`; it must leave first.
    /// @param account the account
    /// @param institution its institution
    error ParticipantBelongsTo(address account, address institution);

    /// @notice `roles` is empty, or has a role that is not among `permitted`.
    /// @param roles the roles asked for
    /// @param permitted the roles that may be given
    error ParticipantRolesNotPermitted(RoleMask roles, RoleMask permitted);

    /// @notice `actor` is neither a governor nor the institution of `account`.
    /// @param account the account
    /// @param actor who called
    error ParticipantNoAuthority(address account, address actor);

    /// @notice `account` is already suspended by the authority of `actor`.
    /// @param account the account
    /// @param actor who called
    error ParticipantAlreadySuspended(address account, address actor);

    /// @notice `account` is not suspended in a way that `actor` may lift.
    /// @param account the account
    /// @param actor who called
    error ParticipantNotSuspended(address account, address actor);

    /// @notice The zero address cannot be a participant.
    error ParticipantZeroAddress();

    /// @notice No governor is given.
    error ParticipantNoGovernors();

    // ------------------------------------------------------------------ events

    /// @notice An account was admitted.
    /// @param account the account
    /// @param institution who admitted it; an institution's own institution is itself
    /// @param roles its roles
    event ParticipantAdmitted(address indexed account, address indexed institution, RoleMask roles);

    /// @notice The accredited roles of an account were replaced.
    /// @param account the account
    /// @param institution its institution
    /// @param roles its new roles
    event ParticipantRolesChanged(address indexed account, address indexed institution, RoleMask roles);

    /// @notice An account left its institution.
    /// @param account the account
    /// @param institution the institution
    event ParticipantLeft(address indexed account, address indexed institution);

    /// @notice An account was suspended. A member that leaves a suspended institution takes that suspension along, and is
    /// the actor itself.
    /// @param account the account
    /// @param actor who suspended it
    /// @param status its suspensions afterwards, in the bits of {statusOf}
    event ParticipantSuspended(address indexed account, address indexed actor, uint8 status);

    /// @notice A suspension of an account was lifted.
    /// @param account the account
    /// @param actor who lifted it
    /// @param status its suspensions afterwards, in the bits of {statusOf}
    event ParticipantReinstated(address indexed account, address indexed actor, uint8 status);

    /// @notice A governor voted.
    /// @param governor who voted
    /// @param account the governor to add or remove
    /// @param add whether to add it
    /// @param votes how many votes it has now
    /// @param round in which round
    event ParticipantGovernorVoted(
        address indexed governor, address indexed account, bool add, uint256 votes, uint256 round
    );

    /// @notice An account became a governor; a new round of votes begins.
    /// @param account the account
    event ParticipantGovernorAdded(address indexed account);

    /// @notice An account is no longer a governor; a new round of votes begins.
    /// @param account the account
    event ParticipantGovernorRemoved(address indexed account);

    // ------------------------------------------------------------------ writes

    /// @notice Votes to add or remove a governor. The vote that makes more than half of the governors carries it out.
    /// @dev Each change of governors starts a new round, in which all earlier votes are void: a vote always comes from
    /// one of those governors whose majority is asked.
    /// @param account the governor to add or remove
    /// @param add whether to add it
    function voteGovernor(address account, bool add) external;

    /// @notice Admits an institution, or replaces its roles; a role taken away is lost for its members too. The caller is
    /// a governor.
    /// @dev A member of another institution leaves that one, and a suspension by it ends.
    /// @param institution any address
    /// @param roles the roles that the institution and its members may hold; not empty, never `GOVERNOR`
    function admitInstitution(address institution, RoleMask roles) external;

    /// @notice Admits a member, or replaces its roles. The caller is an institution.
    /// @dev Admitting lifts a suspension that an earlier institution left behind, but never a governor's.
    /// @param account an address that belongs to no other institution
    /// @param roles its roles, within those of the institution; not empty
    function admit(address account, RoleMask roles) external;

    /// @notice The caller leaves its institution. A suspension, its own or the institution's, stays until a new
    /// institution admits the caller (if no governor imposed it on the caller itself) or a governor lifts it.
    function leaveInstitution() external;

    /// @notice Suspends an account. An institution suspends its members; a governor suspends any address, also one that
    /// has left its institution or never had one.
    /// @param account the account
    function suspend(address account) external;

    /// @notice Lifts the caller's own kind of suspension: an institution cannot lift a governor's. Where the account has
    /// left its institution, a governor lifts either.
    /// @param account the account
    function reinstate(address account) external;

    // ------------------------------------------------------------------ views

    /// @notice How many governors there are.
    /// @return count their number
    function governorCount() external view returns (uint256 count);

    /// @notice The round in which votes now count.
    /// @return round the number of changes of governors so far
    function governorRound() external view returns (uint256 round);

    /// @notice The votes cast in this round.
    /// @param account the governor to add or remove
    /// @param add whether to add it
    /// @return votes their number
    function governorVotes(address account, bool add) external view returns (uint256 votes);

    /// @notice The institution of an account, suspended or not.
    /// @param account the account
    /// @return institution its institution; itself for an institution; zero where there is none
    function institutionOf(address account) external view returns (address institution);

    /// @notice The roles that an account may use now.
    /// @param account the account
    /// @return roles its own within those of its institution, none while either is suspended; and `GOVERNOR`, which
    /// depends on neither
    function rolesOf(address account) external view returns (RoleMask roles);

    /// @notice Whether an account may use a role now.
    /// @param account the account
    /// @param role the role; where it has several bits, all of them
    /// @return held whether it may
    function hasRole(address account, RoleMask role) external view returns (bool held);

    /// @notice Whether an account belongs to an institution, and neither is suspended.
    /// @param account the account
    /// @return active whether that is so
    function isActive(address account) external view returns (bool active);

    /// @notice The institution of an account, and whether either is suspended.
    /// @param account the account
    /// @return institution its institution, or zero
    /// @return suspended whether the account or its institution is suspended
    function standing(address account) external view returns (address institution, bool suspended);

    /// @notice When an account was admitted by its present institution.
    /// @param account the account
    /// @return since the time; zero where there is no institution
    function sinceOf(address account) external view returns (Time since);

    /// @notice The suspensions of an account itself.
    /// @param account the account
    /// @return status bit 0 by an institution, bit 1 by a governor
    function statusOf(address account) external view returns (uint8 status);

    /// @notice Reverts with the reason unless an account may use a role now.
    /// @param account the account
    /// @param role the role; where it has several bits, all of them
    /// @return institution its institution; zero for a governor who belongs to none
    function requireRole(address account, RoleMask role) external view returns (address institution);
}
