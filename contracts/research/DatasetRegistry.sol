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
import {ClassAccount, ContributorAccount} from "./RewardAccounts.sol";

/// @title DatasetRegistry
/// @notice Keeps data sets, their contributors and their money. See {IDatasetRegistry}.
contract DatasetRegistry is IDatasetRegistry, ERC2771Context, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @dev A contribution is one word, from the lowest bit: weight (32) | contributedAt (40) | state (8).
    /// A nonzero state means "exists", and stays.
    struct ClassRecord {
        ClassAccount account;
        mapping(address beneficiary => ContributorAccount) contributors;
        mapping(bytes32 item => mapping(address beneficiary => uint256 slot)) contributions;
    }

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
    // By class.
    mapping(DatasetId dataset => ClassRecord[4]) private _classes;
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
        _add(dataset, class, work, contributor, score, 0);
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
        (ImageId image, bytes32 grantId) = _consents.requirePermitted(institution, imageSet, _use(dataset, slot));
        address beneficiary = class == Class.Data ? imageSet.patient : _requireCustodian(class, imageSet);
        if (rule == WeightRule.PerSet) score = 1;
        if (rule == WeightRule.PerInstance) score = _images.imageOf(image).instances;
        _add(dataset, class, ImageId.unwrap(image), beneficiary, score, grantId);
    }

    /// @inheritdoc IDatasetRegistry
    function withdraw(DatasetId dataset, Class class, bytes32 item) external {
        address sender = _msgSender();
        _remove(dataset, class, item, sender, sender);
    }

    /// @inheritdoc IDatasetRegistry
    function withdrawUnconsented(DatasetId dataset, Class class, ImageSet calldata imageSet) external {
        address sender = _msgSender();
        bytes32 item = ImageId.unwrap(imageSet.id());
        if (sender == _identities.identityOwner(imageSet.patient)) {
            emit PatientWithdrew(dataset, item, sender);
        } else {
            if (!_isConsentGone(dataset, imageSet)) revert DatasetStillConsented(sender);
            emit ConsentFoundMissing(dataset, item, sender);
        }
        _remove(dataset, class, item, _beneficiary(class, imageSet), sender);
    }

    /// @inheritdoc IDatasetRegistry
    function setFree(DatasetId dataset, Class class, address beneficiary, bool free) external {
        _existing(dataset);
        _requireMayAct(beneficiary, _msgSender());
        ClassRecord storage record = _classes[dataset][uint256(class)];
        ContributorAccount contributor = record.contributors[beneficiary];
        if (contributor.isFree() == free) revert DatasetChoiceUnchanged(free);
        (record.account, record.contributors[beneficiary]) = record.account.toggleFree(contributor);
        emit FreeContributionChosen(dataset, beneficiary, class, free);
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
        ContributorAccount contributor = _classes[dataset][uint256(class)].contributors[sender];
        if (contributor.isClosed()) revert DatasetIdentityChangedHands(sender);
        _pay(dataset, class, contributor, sender, sender);
    }

    /// @inheritdoc IDatasetRegistry
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external {
        _requireMayAct(beneficiary, _msgSender());
        ClassRecord storage record = _classes[dataset][uint256(class)];
        ContributorAccount contributor = record.contributors[beneficiary];
        if (_identities.identityOwner(beneficiary) != beneficiary && !contributor.isClosed()) {
            _existing(dataset);
            contributor = contributor.closed();
            emit RewardAccountClosed(dataset, beneficiary, class);
            // Its owner must be able to close the account even if the lost key has just emptied it.
            if (contributor.due(record.account) == 0) {
                record.contributors[beneficiary] = contributor;
                return;
            }
        }
        _pay(dataset, class, contributor, beneficiary, to);
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
    function contributionOf(DatasetId dataset, Class class, bytes32 item, address beneficiary)
        external
        view
        returns (Contribution memory)
    {
        uint256 slot = _classes[dataset][uint256(class)].contributions[item][beneficiary];
        return Contribution(uint32(slot), uint40(slot >> 32), ContributionState(slot >> STATE_SHIFT));
    }

    /// @inheritdoc IDatasetRegistry
    function weightOf(DatasetId dataset, Class class) external view returns (uint64) {
        return _classes[dataset][uint256(class)].account.weight();
    }

    /// @inheritdoc IDatasetRegistry
    function contributorOf(DatasetId dataset, Class class, address beneficiary)
        external
        view
        returns (uint32 weight, uint256 due, bool free)
    {
        ClassRecord storage record = _classes[dataset][uint256(class)];
        ContributorAccount contributor = record.contributors[beneficiary];
        return (contributor.weight(), contributor.due(record.account), contributor.isFree());
    }

    /// @inheritdoc IDatasetRegistry
    function versionOf(DatasetId dataset, uint32 version) external view returns (bytes32 root) {
        return _versions[dataset][version];
    }

    // ------------------------------------------------------------------ internal

    function _add(DatasetId dataset, Class class, bytes32 item, address beneficiary, uint32 weight, bytes32 grantId)
        private
    {
        ClassRecord storage record = _classes[dataset][uint256(class)];
        mapping(address => uint256) storage contributions = record.contributions[item];
        if (contributions[beneficiary] != 0) revert DatasetAlreadyContributed(dataset, class, item);
        contributions[beneficiary] = weight | block.timestamp << 32 | uint256(ContributionState.Counted) << STATE_SHIFT;
        (record.account, record.contributors[beneficiary]) =
            record.account.add(record.contributors[beneficiary], weight);
        emit ContributionMade(dataset, beneficiary, item, class, weight, grantId);
    }

    /// @dev Leaves a tombstone, so that nothing is contributed twice.
    function _remove(DatasetId dataset, Class class, bytes32 item, address beneficiary, address actor) private {
        ClassRecord storage record = _classes[dataset][uint256(class)];
        ContributorAccount contributor = record.contributors[beneficiary];
        if (contributor.isClosed() && actor == beneficiary) revert DatasetIdentityChangedHands(actor);
        mapping(address => uint256) storage contributions = record.contributions[item];
        uint256 slot = contributions[beneficiary];
        if (slot >> STATE_SHIFT != uint256(ContributionState.Counted)) {
            revert DatasetNotContributed(dataset, class, item);
        }
        contributions[beneficiary] = uint72(slot) | uint256(ContributionState.Withdrawn) << STATE_SHIFT;
        (record.account, record.contributors[beneficiary]) = record.account.remove(contributor, uint32(slot));
        emit ContributionWithdrawn(dataset, beneficiary, item, class);
    }

    /// @dev A class in which nobody has a weight leaves its part to the others; what rounding leaves stays in the vault.
    function _share(DatasetId dataset, uint16[4] memory shares, uint256 received) private {
        uint256 sum = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] != 0 && _classes[dataset][i].account.weight() == 0) shares[i] = 0;
            sum += shares[i];
        }
        if (sum == 0) revert DatasetHasNoContributors(dataset);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] == 0) continue;
            ClassRecord storage record = _classes[dataset][i];
            record.account = record.account.share(received * shares[i] / sum);
        }
    }

    /// @dev The account is settled before the token is called.
    function _pay(DatasetId dataset, Class class, ContributorAccount contributor, address beneficiary, address to)
        private
    {
        ClassRecord storage record = _classes[dataset][uint256(class)];
        ClassAccount account = record.account;
        uint256 amount = contributor.due(account);
        if (amount == 0) revert DatasetNothingDue(dataset, class, beneficiary);
        record.contributors[beneficiary] = contributor.credit(account, amount);
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

    /// @dev Like who annotates or develops, a custodian that is suspended earns with nothing new.
    function _requireCustodian(Class class, ImageSet calldata imageSet) private view returns (address custodian) {
        custodian = _beneficiary(class, imageSet);
        _participants.requireRole(custodian, Roles.CUSTODIAN);
    }

    function _requireMayAct(address beneficiary, address actor) private view {
        if (!_identities.mayAct(beneficiary, actor, DELEGATE_TYPE)) revert DatasetNotAuthorized(beneficiary, actor);
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
}
