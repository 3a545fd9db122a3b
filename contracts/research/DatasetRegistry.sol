// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {IDatasetRegistry} from "../../interfaces/IDatasetRegistry.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {DatasetId} from "../lib/DatasetId.sol";
import {ImageId, ImageSet} from "../lib/ImageSet.sol";
import {Roles} from "../lib/Roles.sol";
import {DatasetVault} from "./DatasetVault.sol";
import {RewardAccounts} from "./RewardAccounts.sol";

/// @title DatasetRegistry
/// @notice Keeps data sets, their contributors and their money. See {IDatasetRegistry}.
contract DatasetRegistry is IDatasetRegistry, ERC2771Context, ReentrancyGuard {
    using SafeERC20 for IERC20;
    using RewardAccounts for uint256;
    using RewardAccounts for RewardAccounts.Class;
    using RewardAccounts for RewardAccounts.Contributor;

    bytes32 private constant DELEGATE_TYPE = "radledger.reward";
    uint256 private constant BASIS_POINTS = 10_000;
    uint256 private constant VERSIONS_SHIFT = 200;
    uint256 private constant STATE_SHIFT = 72;

    IIdentityRegistry private immutable _identities;
    IParticipantRegistry private immutable _participants;
    IImageRegistry private immutable _images;
    IConsentRegistry private immutable _consents;
    bytes32 private immutable _vaultCodeHash;

    /// @inheritdoc IDatasetRegistry
    IERC20 public tokenOfNewVault;

    // One slot: institution (160) | rule (8) | purposes (16) | fulfilled (16) | versions (32), from the lowest bit.
    // A nonzero institution means "exists".
    mapping(DatasetId dataset => uint256 slot) private _datasets;
    // Only disease specific research has one, so it is kept apart.
    mapping(DatasetId dataset => bytes13) private _diseases;
    // One slot: shares (4 × 16). They are 10,000 in all, so they are nonzero where the data set exists.
    mapping(DatasetId dataset => uint16[4]) private _shares;
    // Words of {RewardAccounts}.
    mapping(DatasetId dataset => mapping(Class class => uint256 word)) private _classes;
    mapping(bytes32 account => uint256 word) private _contributors;
    // One slot: weight (32) | contributedAt (40) | state (8). A nonzero state means "exists", and stays.
    mapping(bytes32 contribution => uint256 slot) private _contributions;
    mapping(DatasetId dataset => mapping(uint32 version => bytes32 root)) private _versions;

    /// @param identities registry of identities, their delegates and recoveries
    /// @param participants registry of accredited participants
    /// @param images registry of image sets
    /// @param consents registry of consent
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(
        IIdentityRegistry identities,
        IParticipantRegistry participants,
        IImageRegistry images,
        IConsentRegistry consents,
        address forwarder
    ) ERC2771Context(forwarder) {
        _identities = identities;
        _participants = participants;
        _images = images;
        _consents = consents;
        _vaultCodeHash = keccak256(type(DatasetVault).creationCode);
    }

    // ------------------------------------------------------------------ the institution's researchers

    /// @inheritdoc IDatasetRegistry
    function create(Terms calldata terms, bytes32 salt) external returns (DatasetId dataset) {
        address curator = _msgSender();
        address institution = _participants.requireRole(curator, Roles.RESEARCHER);
        uint256 sum = uint256(terms.shares[0]) + terms.shares[1] + terms.shares[2] + terms.shares[3];
        if (sum != BASIS_POINTS) revert DatasetSharesInvalid(sum);
        if (terms.token.code.length == 0) revert DatasetTokenInvalid(terms.token);
        IConsentRegistry.Use calldata use = terms.use;
        // Clinical care alone is what an emergency permits: a clinician's word, not the patient's consent.
        if (
            use.purposes & ~DataUse.CLINICAL_CARE == 0
                || (use.disease != 0 && use.purposes & DataUse.DISEASE_RESEARCH == 0)
        ) {
            revert DatasetUseInvalid(use.purposes, use.disease);
        }
        dataset = _idOf(institution, terms, salt);
        if (_datasets[dataset] != 0) revert DatasetAlreadyCreated(dataset);

        _datasets[dataset] = uint256(uint160(institution)) | uint256(terms.rule) << 160 | uint256(use.purposes) << 168
            | uint256(use.fulfilled) << 184;
        if (use.disease != 0) _diseases[dataset] = use.disease;
        _shares[dataset] = terms.shares;
        tokenOfNewVault = IERC20(terms.token);
        DatasetVault vault = new DatasetVault{salt: DatasetId.unwrap(dataset)}();
        delete tokenOfNewVault;
        emit DatasetCreated(dataset, institution, curator, address(vault), terms);
    }

    /// @inheritdoc IDatasetRegistry
    function contributeWork(DatasetId dataset, Class class, address contributor, bytes32 work, uint32 score) external {
        _requireCurator(dataset, _institution(_existing(dataset)));
        if (class != Class.Annotation && class != Class.Development) revert DatasetClassInvalid(class);
        if (score == 0) revert DatasetScoreInvalid(WeightRule.Scored, score);
        _participants.requireRole(contributor, class == Class.Annotation ? Roles.ANNOTATOR : Roles.DEVELOPER);
        _add(dataset, class, work, contributor, contributor, score, 0);
    }

    /// @inheritdoc IDatasetRegistry
    function freeze(DatasetId dataset, bytes32 root, uint32 contributions) external returns (uint32 version) {
        uint256 slot = _existing(dataset);
        _requireCurator(dataset, _institution(slot));
        if (root == 0 || contributions == 0) revert DatasetVersionEmpty();
        version = _versionCount(slot) + 1;
        _datasets[dataset] = slot + (1 << VERSIONS_SHIFT);
        _versions[dataset][version] = root;
        emit VersionFrozen(dataset, version, root, contributions);
    }

    // ------------------------------------------------------------------ contributors

    /// @inheritdoc IDatasetRegistry
    function contribute(DatasetId dataset, Class class, ImageSet calldata imageSet, uint32 score) external {
        uint256 slot = _existing(dataset);
        address institution = _institution(slot);
        WeightRule rule = _rule(slot);
        address sender = _msgSender();
        if (rule == WeightRule.Scored || (sender != imageSet.patient && sender != imageSet.custodian)) {
            _requireCurator(dataset, institution);
        }
        if ((rule == WeightRule.Scored) != (score != 0)) revert DatasetScoreInvalid(rule, score);
        address beneficiary = _beneficiary(class, imageSet);
        ImageId image = imageSet.id();
        bytes32 grantId = _consents.requirePermitted(institution, imageSet, _use(dataset, slot));
        if (rule == WeightRule.PerSet) score = 1;
        if (rule == WeightRule.PerInstance) score = _images.imageOf(image).instances;
        _add(dataset, class, ImageId.unwrap(image), address(0), beneficiary, score, grantId);
    }

    /// @inheritdoc IDatasetRegistry
    function withdraw(DatasetId dataset, Class class, ImageSet calldata imageSet) external {
        address beneficiary = _beneficiary(class, imageSet);
        address sender = _msgSender();
        if (sender != imageSet.patient && sender != beneficiary && !_isConsentGone(dataset, imageSet)) {
            revert DatasetNotContributor(sender);
        }
        _remove(dataset, class, ImageId.unwrap(imageSet.id()), address(0), beneficiary, sender);
    }

    /// @inheritdoc IDatasetRegistry
    function withdrawWork(DatasetId dataset, Class class, bytes32 work) external {
        address sender = _msgSender();
        _remove(dataset, class, work, sender, sender, sender);
    }

    /// @inheritdoc IDatasetRegistry
    function setFree(DatasetId dataset, Class class, bool free) external {
        _existing(dataset);
        address sender = _msgSender();
        bytes32 account = _accountId(dataset, class, sender);
        (RewardAccounts.Class memory total, RewardAccounts.Contributor memory contributor) =
            _credited(dataset, class, account);
        if (contributor.closed) revert DatasetIdentityChangedHands(sender);
        if (contributor.free == free) revert DatasetChoiceUnchanged(free);
        contributor.free = free;
        total.weight = free ? total.weight - contributor.weight : total.weight + contributor.weight;
        _classes[dataset][class] = total.pack();
        _contributors[account] = contributor.pack();
        emit FreeContributionChosen(dataset, sender, class, free);
    }

    // ------------------------------------------------------------------ money

    /// @inheritdoc IDatasetRegistry
    /// @dev The guard keeps a token that calls back from having one payment counted twice.
    function fund(DatasetId dataset, uint256 amount) external nonReentrant {
        uint16[4] memory shares = _shares[dataset];
        address vault = _vaultOf(dataset);
        if (vault.code.length == 0) revert DatasetUnknown(dataset);
        IERC20 token = DatasetVault(vault).token();
        address sender = _msgSender();
        uint256 before = token.balanceOf(vault);
        token.safeTransferFrom(sender, vault, amount);
        uint256 received;
        // A token may keep a fee: what counts is what arrived. A balance that shrank wraps to more than can be shared.
        unchecked {
            received = token.balanceOf(vault) - before;
        }
        if (received == 0 || received > type(uint96).max) revert DatasetAmountInvalid(received);
        _share(dataset, shares, received);
        emit DatasetFunded(dataset, sender, received);
    }

    /// @inheritdoc IDatasetRegistry
    function claim(DatasetId dataset, Class class) external {
        address sender = _msgSender();
        bytes32 account = _accountId(dataset, class, sender);
        RewardAccounts.Contributor memory contributor = _contributors[account].unpackContributor();
        if (contributor.closed) revert DatasetIdentityChangedHands(sender);
        _pay(dataset, class, account, contributor, sender, sender);
    }

    /// @inheritdoc IDatasetRegistry
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external {
        address sender = _msgSender();
        if (!_identities.mayAct(beneficiary, sender, DELEGATE_TYPE)) revert DatasetNotAuthorized(beneficiary, sender);
        bytes32 account = _accountId(dataset, class, beneficiary);
        RewardAccounts.Contributor memory contributor = _contributors[account].unpackContributor();
        if (_identities.identityOwner(beneficiary) != beneficiary && !contributor.closed) {
            contributor.closed = true;
            emit RewardAccountClosed(dataset, beneficiary, class);
            // Its owner must be able to close the account even if the lost key has just emptied it.
            if (_classes[dataset][class].unpackClass().due(contributor) == 0) {
                _contributors[account] = contributor.pack();
                return;
            }
        }
        _pay(dataset, class, account, contributor, beneficiary, to);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDatasetRegistry
    function datasetOf(DatasetId dataset) external view returns (Dataset memory) {
        uint256 slot = _existing(dataset);
        return Dataset(
            _institution(slot),
            _rule(slot),
            _use(dataset, slot),
            _shares[dataset],
            _vaultOf(dataset),
            _versionCount(slot)
        );
    }

    /// @inheritdoc IDatasetRegistry
    function idOf(address institution, Terms calldata terms, bytes32 salt) external pure returns (DatasetId) {
        return _idOf(institution, terms, salt);
    }

    /// @inheritdoc IDatasetRegistry
    function contributionOf(DatasetId dataset, Class class, bytes32 item, address contributor)
        external
        view
        returns (Contribution memory)
    {
        uint256 slot = _contributions[_contributionId(dataset, class, item, contributor)];
        return Contribution(uint32(slot), uint40(slot >> 32), ContributionState(slot >> STATE_SHIFT));
    }

    /// @inheritdoc IDatasetRegistry
    function weightOf(DatasetId dataset, Class class) external view returns (uint64) {
        return _classes[dataset][class].unpackClass().weight;
    }

    /// @inheritdoc IDatasetRegistry
    function contributorOf(DatasetId dataset, Class class, address beneficiary)
        external
        view
        returns (uint32 weight, uint256 due, bool free)
    {
        RewardAccounts.Contributor memory contributor =
            _contributors[_accountId(dataset, class, beneficiary)].unpackContributor();
        due = _classes[dataset][class].unpackClass().due(contributor);
        return (contributor.weight, due, contributor.free);
    }

    /// @inheritdoc IDatasetRegistry
    function versionOf(DatasetId dataset, uint32 version) external view returns (bytes32 root) {
        return _versions[dataset][version];
    }

    // ------------------------------------------------------------------ internal

    /// @dev `contributor` tells apart works that several submit under the same digest; it is zero for an image set.
    function _add(
        DatasetId dataset,
        Class class,
        bytes32 item,
        address contributor,
        address beneficiary,
        uint32 weight,
        bytes32 grantId
    ) private {
        bytes32 id = _contributionId(dataset, class, item, contributor);
        if (_contributions[id] != 0) revert DatasetAlreadyContributed(dataset, class, item);
        _contributions[id] = uint256(weight) | uint256(uint40(block.timestamp)) << 32
            | uint256(ContributionState.Counted) << STATE_SHIFT;

        bytes32 account = _accountId(dataset, class, beneficiary);
        (RewardAccounts.Class memory total, RewardAccounts.Contributor memory earner) =
            _credited(dataset, class, account);
        earner.weight += weight;
        if (!earner.free) total.weight += weight;
        _classes[dataset][class] = total.pack();
        _contributors[account] = earner.pack();
        emit ContributionMade(dataset, beneficiary, item, class, weight, grantId);
    }

    /// @dev Leaves a tombstone, so that nothing is contributed twice.
    function _remove(
        DatasetId dataset,
        Class class,
        bytes32 item,
        address contributor,
        address beneficiary,
        address actor
    ) private {
        bytes32 id = _contributionId(dataset, class, item, contributor);
        uint256 slot = _contributions[id];
        if (ContributionState(slot >> STATE_SHIFT) != ContributionState.Counted) {
            revert DatasetNotContributed(dataset, class, item);
        }
        _contributions[id] = (slot & ((1 << STATE_SHIFT) - 1)) | uint256(ContributionState.Withdrawn) << STATE_SHIFT;

        uint32 weight = uint32(slot);
        bytes32 account = _accountId(dataset, class, beneficiary);
        (RewardAccounts.Class memory total, RewardAccounts.Contributor memory earner) =
            _credited(dataset, class, account);
        if (earner.closed && actor == beneficiary) revert DatasetIdentityChangedHands(actor);
        earner.weight -= weight;
        if (!earner.free) total.weight -= weight;
        _classes[dataset][class] = total.pack();
        _contributors[account] = earner.pack();
        emit ContributionWithdrawn(dataset, beneficiary, item, class, actor);
    }

    /// @dev A class in which nobody has a weight leaves its part to the others; what rounding leaves stays in the vault.
    function _share(DatasetId dataset, uint16[4] memory shares, uint256 received) private {
        RewardAccounts.Class[4] memory totals;
        uint256 sum = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] == 0) continue;
            totals[i] = _classes[dataset][Class(i)].unpackClass();
            if (totals[i].weight != 0) sum += shares[i];
        }
        if (sum == 0) revert DatasetHasNoContributors(dataset);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (totals[i].weight == 0) continue;
            totals[i].share(received * shares[i] / sum);
            _classes[dataset][Class(i)] = totals[i].pack();
        }
    }

    /// @dev A contributor's account and its class, credited with what was earned so far.
    function _credited(DatasetId dataset, Class class, bytes32 account)
        private
        view
        returns (RewardAccounts.Class memory total, RewardAccounts.Contributor memory contributor)
    {
        total = _classes[dataset][class].unpackClass();
        contributor = _contributors[account].unpackContributor();
        total.credit(contributor);
    }

    /// @dev The account is settled before the token is called.
    function _pay(
        DatasetId dataset,
        Class class,
        bytes32 account,
        RewardAccounts.Contributor memory contributor,
        address beneficiary,
        address to
    ) private {
        RewardAccounts.Class memory total = _classes[dataset][class].unpackClass();
        uint256 amount = total.due(contributor);
        if (amount == 0) revert DatasetNothingDue(dataset, class, beneficiary);
        contributor.accrued = 0;
        contributor.perWeight = total.perWeight;
        _contributors[account] = contributor.pack();
        emit RewardClaimed(dataset, beneficiary, class, to, amount);
        DatasetVault(_vaultOf(dataset)).pay(to, amount);
    }

    function _existing(DatasetId dataset) private view returns (uint256 slot) {
        slot = _datasets[dataset];
        if (slot == 0) revert DatasetUnknown(dataset);
    }

    function _institution(uint256 slot) private pure returns (address) {
        return address(uint160(slot));
    }

    function _rule(uint256 slot) private pure returns (WeightRule) {
        return WeightRule(uint8(slot >> 160));
    }

    function _versionCount(uint256 slot) private pure returns (uint32) {
        return uint32(slot >> VERSIONS_SHIFT);
    }

    /// @dev CREATE2 (EIP-1014): computing the address is cheaper than keeping it.
    function _vaultOf(DatasetId dataset) private view returns (address) {
        return Create2.computeAddress(DatasetId.unwrap(dataset), _vaultCodeHash);
    }

    function _requireCurator(DatasetId dataset, address institution) private view {
        if (_participants.requireRole(_msgSender(), Roles.RESEARCHER) != institution) {
            revert DatasetNotCurator(dataset, institution);
        }
    }

    /// @dev A suspension of the institution may be lifted; the patient's consent is not gone with it.
    function _isConsentGone(DatasetId dataset, ImageSet calldata imageSet) private view returns (bool) {
        uint256 slot = _existing(dataset);
        (IConsentRegistry.Reason reason,) = _consents.permitted(_institution(slot), imageSet, _use(dataset, slot));
        return reason != IConsentRegistry.Reason.Permitted && reason != IConsentRegistry.Reason.ReaderSuspended;
    }

    function _use(DatasetId dataset, uint256 slot) private view returns (IConsentRegistry.Use memory) {
        uint16 purposes = uint16(slot >> 168);
        bytes13 disease = purposes & DataUse.DISEASE_RESEARCH != 0 ? _diseases[dataset] : bytes13(0);
        return IConsentRegistry.Use(purposes, uint16(slot >> 184), disease);
    }

    /// @dev Whom the image's record names, whoever calls.
    function _beneficiary(Class class, ImageSet calldata imageSet) private pure returns (address) {
        if (class == Class.Data) return imageSet.patient;
        if (class == Class.Custody) return imageSet.custodian;
        revert DatasetClassInvalid(class);
    }

    function _idOf(address institution, Terms calldata terms, bytes32 salt) private pure returns (DatasetId) {
        return DatasetId.wrap(keccak256(abi.encode(institution, terms, salt)));
    }

    function _accountId(DatasetId dataset, Class class, address beneficiary) private pure returns (bytes32) {
        return keccak256(abi.encode(dataset, class, beneficiary));
    }

    function _contributionId(DatasetId dataset, Class class, bytes32 item, address contributor)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(dataset, class, item, contributor));
    }
}
