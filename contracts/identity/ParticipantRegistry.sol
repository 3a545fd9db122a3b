// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {Roles} from "../lib/Roles.sol";
import {RoleMask} from "../types/RoleMask.sol";
import {Time} from "../types/Time.sol";
import {ParticipantSlot, ParticipantSlotLibrary} from "./ParticipantSlot.sol";

/// @title ParticipantRegistry
/// @notice Accredits institutions and their members. See {IParticipantRegistry}.
contract ParticipantRegistry is IParticipantRegistry, ERC2771Context {
    uint8 internal constant BY_INSTITUTION = 1 << 0;
    uint8 internal constant BY_GOVERNOR = 1 << 1;

    uint32 private constant GOVERNOR = RoleMask.unwrap(Roles.GOVERNOR);
    uint32 private constant ACCREDITABLE = RoleMask.unwrap(Roles.ACCREDITABLE);

    mapping(address account => ParticipantSlot) private _participants;
    // A proposal is the hash of the round, the account and whether to add or to remove it.
    mapping(bytes32 proposal => uint256) private _votes;
    mapping(bytes32 proposal => mapping(address governor => bool)) private _hasVoted;
    uint256 private _governorCount;
    uint256 private _governorRound;

    // ------------------------------------------------------------------ construction

    /// @param forwarder trusted ERC-2771 forwarder
    /// @param governors the first governors, each once
    constructor(address forwarder, address[] memory governors) ERC2771Context(forwarder) {
        if (governors.length == 0) revert ParticipantNoGovernors();
        for (uint256 i = 0; i < governors.length; ++i) {
            _addGovernor(governors[i]);
        }
    }

    // ------------------------------------------------------------------ writes

    /// @inheritdoc IParticipantRegistry
    function voteGovernor(address account, bool add) external {
        address governor = _msgSender();
        _requireGovernor(governor);
        if (add) _requireNotGovernor(account);
        else _requireGovernor(account);

        uint256 round = _governorRound;
        bytes32 proposal = _proposal(round, account, add);
        if (_hasVoted[proposal][governor]) revert ParticipantAlreadyVoted(governor, account, add);
        _hasVoted[proposal][governor] = true;
        uint256 votes = ++_votes[proposal];
        emit ParticipantGovernorVoted(governor, account, add, votes, round);

        if (votes * 2 <= _governorCount) return;
        _governorRound = round + 1;
        if (add) _addGovernor(account);
        else _removeGovernor(account);
    }

    /// @inheritdoc IParticipantRegistry
    function admitInstitution(address institution, RoleMask roles) external {
        _requireGovernor(_msgSender());
        _admit(institution, institution, RoleMask.unwrap(roles), ACCREDITABLE);
    }

    /// @inheritdoc IParticipantRegistry
    function admit(address account, RoleMask roles) external {
        address institution = _msgSender();
        if (account == institution) revert ParticipantIsInstitution(account);
        _admit(account, institution, RoleMask.unwrap(roles), _requireInstitution(institution));
    }

    /// @inheritdoc IParticipantRegistry
    function leaveInstitution() external {
        address account = _msgSender();
        ParticipantSlot slot = _participants[account];
        address institution = slot.institution();
        if (institution == address(0)) revert ParticipantNotAccredited(account);
        if (institution == account) revert ParticipantIsInstitution(account);

        // Leaving ends no suspension, and so not that of the institution either.
        uint8 status = slot.status();
        bool takesSuspension = status == 0 && _participants[institution].status() != 0;
        if (takesSuspension) status = BY_INSTITUTION;
        _participants[account] = ParticipantSlotLibrary.unaffiliated(slot.roles() & GOVERNOR, status);
        if (takesSuspension) emit ParticipantSuspended(account, account, BY_INSTITUTION);
        emit ParticipantLeft(account, institution);
    }

    /// @inheritdoc IParticipantRegistry
    function suspend(address account) external {
        address actor = _msgSender();
        ParticipantSlot slot = _participants[account];
        uint8 authority = _authority(account, slot, actor);
        if (account == address(0)) revert ParticipantZeroAddress();
        // Without an institution only a governor gets here, and suspends by its own authority alone.
        if (slot.institution() == address(0)) authority = BY_GOVERNOR;
        uint8 status = slot.status() | authority;
        if (status == slot.status()) revert ParticipantAlreadySuspended(account, actor);

        _participants[account] = slot.withStatus(status);
        emit ParticipantSuspended(account, actor, status);
    }

    /// @inheritdoc IParticipantRegistry
    function reinstate(address account) external {
        address actor = _msgSender();
        ParticipantSlot slot = _participants[account];
        uint8 status = slot.status() & ~_authority(account, slot, actor);
        if (status == slot.status()) revert ParticipantNotSuspended(account, actor);

        _participants[account] = slot.withStatus(status);
        emit ParticipantReinstated(account, actor, status);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IParticipantRegistry
    function governorCount() external view returns (uint256) {
        return _governorCount;
    }

    /// @inheritdoc IParticipantRegistry
    function governorRound() external view returns (uint256) {
        return _governorRound;
    }

    /// @inheritdoc IParticipantRegistry
    function governorVotes(address account, bool add) external view returns (uint256) {
        return _votes[_proposal(_governorRound, account, add)];
    }

    /// @inheritdoc IParticipantRegistry
    function institutionOf(address account) external view returns (address) {
        return _participants[account].institution();
    }

    /// @inheritdoc IParticipantRegistry
    function rolesOf(address account) external view returns (RoleMask) {
        return RoleMask.wrap(_usableRoles(account, _participants[account]));
    }

    /// @inheritdoc IParticipantRegistry
    function hasRole(address account, RoleMask role) external view returns (bool) {
        return _includes(_usableRoles(account, _participants[account]), RoleMask.unwrap(role));
    }

    /// @inheritdoc IParticipantRegistry
    function isActive(address account) external view returns (bool) {
        (address institution, bool suspended) = standing(account);
        return institution != address(0) && !suspended;
    }

    /// @inheritdoc IParticipantRegistry
    function standing(address account) public view returns (address institution, bool suspended) {
        ParticipantSlot slot = _participants[account];
        institution = slot.institution();
        suspended = slot.status() != 0 || (institution != account && _participants[institution].status() != 0);
    }

    /// @inheritdoc IParticipantRegistry
    function sinceOf(address account) external view returns (Time) {
        return Time.wrap(_participants[account].since());
    }

    /// @inheritdoc IParticipantRegistry
    function statusOf(address account) external view returns (uint8) {
        return _participants[account].status();
    }

    /// @inheritdoc IParticipantRegistry
    function requireRole(address account, RoleMask role) external view returns (address institution) {
        ParticipantSlot slot = _participants[account];
        institution = slot.institution();
        uint32 held = _usableRoles(account, slot);
        if (_includes(held, RoleMask.unwrap(role))) return institution;

        if (institution == address(0)) revert ParticipantNotAccredited(account);
        (, bool suspended) = standing(account);
        if (suspended) revert ParticipantIsSuspended(account, institution);
        revert ParticipantLacksRole(account, role, RoleMask.wrap(held));
    }

    // ------------------------------------------------------------------ internal

    /// @dev Admits `account` under `institution`, or replaces its roles where it is there already.
    function _admit(address account, address institution, uint32 roles, uint32 permitted) private {
        if (account == address(0)) revert ParticipantZeroAddress();
        if (!_includes(permitted, roles)) {
            revert ParticipantRolesNotPermitted(RoleMask.wrap(roles), RoleMask.wrap(permitted));
        }

        ParticipantSlot slot = _participants[account];
        uint32 allRoles = roles | slot.roles() & GOVERNOR;
        address previous = slot.institution();
        if (previous == institution) {
            _participants[account] = slot.withRoles(allRoles);
            emit ParticipantRolesChanged(account, institution, RoleMask.wrap(roles));
            return;
        }
        // An institution admits without asking, so being its member keeps no account from becoming an institution.
        if (previous != address(0) && institution != account) revert ParticipantBelongsTo(account, previous);
        _participants[account] = ParticipantSlotLibrary.admitted(institution, allRoles, slot.status() & BY_GOVERNOR);
        if (previous != address(0)) emit ParticipantLeft(account, previous);
        emit ParticipantAdmitted(account, institution, RoleMask.wrap(roles));
    }

    function _addGovernor(address account) private {
        if (account == address(0)) revert ParticipantZeroAddress();
        _requireNotGovernor(account);
        ParticipantSlot slot = _participants[account];
        _participants[account] = slot.withRoles(slot.roles() | GOVERNOR);
        ++_governorCount;
        emit ParticipantGovernorAdded(account);
    }

    function _removeGovernor(address account) private {
        if (_governorCount == 1) revert ParticipantLastGovernor(account);
        ParticipantSlot slot = _participants[account];
        _participants[account] = slot.withRoles(slot.roles() & ~GOVERNOR);
        --_governorCount;
        emit ParticipantGovernorRemoved(account);
    }

    function _isGovernor(address account) private view returns (bool) {
        return _participants[account].roles() & GOVERNOR != 0;
    }

    function _requireGovernor(address account) private view {
        if (!_isGovernor(account)) revert ParticipantNotGovernor(account);
    }

    function _requireNotGovernor(address account) private view {
        if (_isGovernor(account)) revert ParticipantAlreadyGovernor(account);
    }

    /// @dev The roles within which an institution in good standing admits members.
    function _requireInstitution(address account) private view returns (uint32) {
        ParticipantSlot slot = _participants[account];
        if (slot.institution() != account) revert ParticipantNotInstitution(account);
        if (slot.status() != 0) revert ParticipantIsSuspended(account, account);
        return slot.roles() & ACCREDITABLE;
    }

    /// @dev The kinds of suspension that `actor` may impose on `account` and lift. A governor has the institution's
    /// place where there is none, so that a suspension which outlived the membership can be lifted.
    function _authority(address account, ParticipantSlot slot, address actor) private view returns (uint8) {
        address institution = slot.institution();
        bool isOwnMember = institution == actor && account != actor;
        if (_isGovernor(actor)) {
            return institution == address(0) || isOwnMember ? BY_GOVERNOR | BY_INSTITUTION : BY_GOVERNOR;
        }
        if (!isOwnMember) revert ParticipantNoAuthority(account, actor);
        _requireInstitution(actor);
        return BY_INSTITUTION;
    }

    /// @dev The roles of an account within those of its institution, none while either is suspended; and `GOVERNOR`.
    function _usableRoles(address account, ParticipantSlot slot) private view returns (uint32) {
        uint32 roles = slot.roles();
        uint32 governor = roles & GOVERNOR;
        address institution = slot.institution();
        if (institution == address(0) || slot.status() != 0) return governor;
        ParticipantSlot group = institution == account ? slot : _participants[institution];
        if (group.status() != 0) return governor;
        return governor | (roles & group.roles());
    }

    /// @dev Whether all of `roles` are among `held`; not for no role at all.
    function _includes(uint32 held, uint32 roles) private pure returns (bool) {
        return roles != 0 && held & roles == roles;
    }

    /// @dev Votes of earlier rounds hash to other proposals, and so count no longer.
    function _proposal(uint256 round, address account, bool add) private pure returns (bytes32) {
        return keccak256(abi.encode(round, account, add));
    }
}
