// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {Roles} from "../lib/Roles.sol";
import {RoleMask} from "../types/RoleMask.sol";

/// @title Who is accredited as what, and by whom
contract ParticipantRegistry is IParticipantRegistry, ERC2771Context {
    /// @dev One slot:
    ///
    /// | bits    | field       | meaning                                                                   |
    /// |---------|-------------|---------------------------------------------------------------------------|
    /// | 0–159   | institution | who admitted it; itself for an institution; zero: belongs to none         |
    /// | 160–191 | roles       | as accredited, and GOVERNOR; usable are those that the institution has too |
    /// | 192–231 | since       | when it was admitted, Unix time                                           |
    /// | 232–239 | status      | suspensions: `BY_INSTITUTION`, `BY_GOVERNOR`                              |
    struct Participant {
        address institution;
        uint32 roles;
        uint40 since;
        uint8 status;
    }

    uint8 private constant BY_INSTITUTION = 1 << 0;
    uint8 private constant BY_GOVERNOR = 1 << 1;

    uint32 private constant GOVERNOR = RoleMask.unwrap(Roles.GOVERNOR);
    uint32 private constant ACCREDITABLE = RoleMask.unwrap(Roles.ACCREDITABLE);

    mapping(address account => Participant) private _participants;

    /// @dev A proposal is the hash of the round, the account and whether to add or to remove it.
    mapping(bytes32 proposal => uint256) private _votes;
    mapping(bytes32 proposal => mapping(address governor => bool)) private _hasVoted;

    /// @inheritdoc IParticipantRegistry
    uint256 public governorCount;

    /// @inheritdoc IParticipantRegistry
    uint256 public governorRound;

    // -------------------------------------------------------------------------------------------------- Construction

    /// @param trustedForwarder The ERC-2771 forwarder that may speak for others.
    /// @param governors The first governors, each once.
    constructor(address trustedForwarder, address[] memory governors) ERC2771Context(trustedForwarder) {
        if (governors.length == 0) revert ParticipantNoGovernors();
        for (uint256 i = 0; i < governors.length; ++i) {
            _addGovernor(governors[i]);
        }
    }

    // ---------------------------------------------------------------------------------------------------- Governance

    /// @inheritdoc IParticipantRegistry
    function voteGovernor(address account, bool add) external {
        address governor = _msgSender();
        _requireGovernor(governor);
        if (add) _requireNotGovernor(account);
        else _requireGovernor(account);

        uint256 round = governorRound;
        bytes32 proposal = _proposal(round, account, add);
        if (_hasVoted[proposal][governor]) revert ParticipantAlreadyVoted(governor, account, add);
        _hasVoted[proposal][governor] = true;
        uint256 votes = ++_votes[proposal];
        emit ParticipantGovernorVoted(governor, account, add, votes, round);

        if (votes * 2 <= governorCount) return;
        governorRound = round + 1;
        if (add) _addGovernor(account);
        else _removeGovernor(account);
    }

    /// @inheritdoc IParticipantRegistry
    function governorVotes(address account, bool add) external view returns (uint256) {
        return _votes[_proposal(governorRound, account, add)];
    }

    // ------------------------------------------------------------------------------------------------- Accreditation

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
    function leave() external {
        address account = _msgSender();
        Participant storage participant = _participants[account];
        address institution = participant.institution;
        if (institution == address(0)) revert ParticipantNotAccredited(account);
        if (institution == account) revert ParticipantIsInstitution(account);

        // Nobody sheds a suspension by leaving, and so not that of the institution.
        if (participant.status == 0 && _participants[institution].status != 0) {
            participant.status = BY_INSTITUTION;
            emit ParticipantSuspended(account, account, BY_INSTITUTION);
        }
        participant.institution = address(0);
        participant.roles &= GOVERNOR;
        participant.since = 0;
        emit ParticipantLeft(account, institution);
    }

    /// @inheritdoc IParticipantRegistry
    function suspend(address account) external {
        address actor = _msgSender();
        uint8 authority = _authority(account, actor);
        Participant storage participant = _participants[account];
        if (account == address(0)) revert ParticipantZeroAddress();
        // Where there is no institution, only a governor has got here, who suspends for itself alone.
        if (participant.institution == address(0)) authority = BY_GOVERNOR;
        uint8 status = participant.status | authority;
        if (status == participant.status) revert ParticipantAlreadySuspended(account, actor);

        participant.status = status;
        emit ParticipantSuspended(account, actor, status);
    }

    /// @inheritdoc IParticipantRegistry
    function reinstate(address account) external {
        address actor = _msgSender();
        uint8 authority = _authority(account, actor);
        Participant storage participant = _participants[account];
        uint8 status = participant.status & ~authority;
        if (status == participant.status) revert ParticipantNotSuspended(account, actor);

        participant.status = status;
        emit ParticipantReinstated(account, actor, status);
    }

    // --------------------------------------------------------------------------------------------------------- Views

    /// @inheritdoc IParticipantRegistry
    function institutionOf(address account) external view returns (address) {
        return _participants[account].institution;
    }

    /// @inheritdoc IParticipantRegistry
    function rolesOf(address account) external view returns (RoleMask) {
        return RoleMask.wrap(_effectiveRoles(account, _participants[account]));
    }

    /// @inheritdoc IParticipantRegistry
    function hasRole(address account, RoleMask role) external view returns (bool) {
        return _includes(_effectiveRoles(account, _participants[account]), RoleMask.unwrap(role));
    }

    /// @inheritdoc IParticipantRegistry
    function isActive(address account) external view returns (bool) {
        Participant memory participant = _participants[account];
        return participant.institution != address(0) && !_isSuspended(account, participant);
    }

    /// @inheritdoc IParticipantRegistry
    function standing(address account) external view returns (address institution, bool suspended) {
        Participant storage participant = _participants[account];
        institution = participant.institution;
        suspended = participant.status != 0 || (institution != account && _participants[institution].status != 0);
    }

    /// @inheritdoc IParticipantRegistry
    function sinceOf(address account) external view returns (uint256) {
        return _participants[account].since;
    }

    /// @inheritdoc IParticipantRegistry
    function statusOf(address account) external view returns (uint8) {
        return _participants[account].status;
    }

    /// @inheritdoc IParticipantRegistry
    function requireRole(address account, RoleMask role) external view returns (address institution) {
        Participant memory participant = _participants[account];
        institution = participant.institution;
        uint32 held = _effectiveRoles(account, participant);
        if (_includes(held, RoleMask.unwrap(role))) return institution;

        if (institution == address(0)) revert ParticipantNotAccredited(account);
        if (_isSuspended(account, participant)) revert ParticipantIsSuspended(account, institution);
        revert ParticipantLacksRole(account, role, RoleMask.wrap(held));
    }

    // ------------------------------------------------------------------------------------------------------ Internals

    /// @dev Admits `account` under `institution`, or replaces its roles where it is there already.
    function _admit(address account, address institution, uint32 roles, uint32 permitted) private {
        if (account == address(0)) revert ParticipantZeroAddress();
        if (roles == 0 || roles & ~permitted != 0) {
            revert ParticipantRolesNotPermitted(RoleMask.wrap(roles), RoleMask.wrap(permitted));
        }

        Participant memory participant = _participants[account];
        uint32 governor = participant.roles & GOVERNOR;
        if (participant.institution == institution) {
            _participants[account].roles = roles | governor;
            emit ParticipantRolesChanged(account, institution, RoleMask.wrap(roles));
        } else {
            if (participant.institution != address(0)) {
                // An institution admits without asking, so being its member keeps nobody from becoming an institution.
                if (institution != account) revert ParticipantBelongsTo(account, participant.institution);
                emit ParticipantLeft(account, participant.institution);
            }
            _participants[account] = Participant({
                institution: institution,
                roles: roles | governor,
                since: uint40(block.timestamp),
                status: participant.status & BY_GOVERNOR
            });
            emit ParticipantAdmitted(account, institution, RoleMask.wrap(roles));
        }
    }

    function _addGovernor(address account) private {
        if (account == address(0)) revert ParticipantZeroAddress();
        _requireNotGovernor(account);
        _participants[account].roles |= GOVERNOR;
        ++governorCount;
        emit ParticipantGovernorAdded(account);
    }

    function _removeGovernor(address account) private {
        if (governorCount == 1) revert ParticipantLastGovernor(account);
        _participants[account].roles &= ~GOVERNOR;
        --governorCount;
        emit ParticipantGovernorRemoved(account);
    }

    function _isGovernor(address account) private view returns (bool) {
        return _participants[account].roles & GOVERNOR != 0;
    }

    function _requireGovernor(address account) private view {
        if (!_isGovernor(account)) revert ParticipantNotGovernor(account);
    }

    function _requireNotGovernor(address account) private view {
        if (_isGovernor(account)) revert ParticipantAlreadyGovernor(account);
    }

    /// @dev The roles within which an institution in good standing admits members.
    function _requireInstitution(address account) private view returns (uint32) {
        Participant memory participant = _participants[account];
        if (participant.institution != account) revert ParticipantNotInstitution(account);
        if (participant.status != 0) revert ParticipantIsSuspended(account, account);
        return participant.roles & ACCREDITABLE;
    }

    /// @dev The kinds of suspension that `actor` may impose on `account` and lift. A governor has the institution's
    /// place where there is none, so that a suspension which outlived the membership can be lifted.
    function _authority(address account, address actor) private view returns (uint8) {
        address institution = _participants[account].institution;
        bool isOwnMember = institution == actor && account != actor;
        if (_isGovernor(actor)) {
            return institution == address(0) || isOwnMember ? BY_GOVERNOR | BY_INSTITUTION : BY_GOVERNOR;
        }
        if (!isOwnMember) revert ParticipantNoAuthority(account, actor);
        _requireInstitution(actor);
        return BY_INSTITUTION;
    }

    function _isSuspended(address account, Participant memory participant) private view returns (bool) {
        if (participant.status != 0) return true;
        address institution = participant.institution;
        return institution != account && _participants[institution].status != 0;
    }

    function _effectiveRoles(address account, Participant memory participant) private view returns (uint32) {
        uint32 governor = participant.roles & GOVERNOR;
        if (participant.institution == address(0) || participant.status != 0) return governor;
        Participant memory institution =
            participant.institution == account ? participant : _participants[participant.institution];
        if (institution.status != 0) return governor;
        return governor | (participant.roles & institution.roles);
    }

    function _includes(uint32 held, uint32 role) private pure returns (bool) {
        return role != 0 && held & role == role;
    }

    /// @dev Votes of earlier rounds hash to other proposals, and so count no longer.
    function _proposal(uint256 round, address account, bool add) private pure returns (bytes32) {
        return keccak256(abi.encode(round, account, add));
    }
}
