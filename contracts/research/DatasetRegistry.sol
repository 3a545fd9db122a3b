// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
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
    using RewardAccounts for RewardAccounts.Class;
    using RewardAccounts for RewardAccounts.Contributor;

    bytes32 private constant DELEGATE_TYPE = "radledger.reward";
    uint256 private constant BASIS_POINTS = 10_000;

    IIdentityRegistry private immutable _identities;
    IParticipantRegistry private immutable _participants;
    IImageRegistry private immutable _images;
    IConsentRegistry private immutable _consents;

    // Three slots: institution (160) | rule (8) | purposes (16) | fulfilled (16), disease (104),
    // vault (160) | shares (4 × 16) | versions (32). A nonzero institution means "exists".
    mapping(DatasetId dataset => Dataset) private _datasets;
    // One slot: weight (64) | perWeight (120).
    mapping(DatasetId dataset => mapping(Class class => RewardAccounts.Class)) private _classes;
    // One slot: weight (32) | accrued (96) | perWeight (120) | flags (8).
    mapping(bytes32 account => RewardAccounts.Contributor) private _contributors;
    // One slot: weight (32) | contributedAt (40) | state (8). A nonzero state means "exists", and stays.
    mapping(bytes32 contribution => Contribution) private _contributions;
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
        if (use.purposes == 0 || (use.disease != 0 && use.purposes & DataUse.DISEASE_RESEARCH == 0)) {
            revert DatasetUseInvalid(use.purposes, use.disease);
        }
        dataset = _idOf(institution, terms, salt);
        if (_datasets[dataset].institution != address(0)) revert DatasetAlreadyCreated(dataset);

        DatasetVault vault = new DatasetVault{salt: DatasetId.unwrap(dataset)}(IERC20(terms.token));
        _datasets[dataset] = Dataset(
            institution, terms.rule, use.purposes, use.fulfilled, use.disease, address(vault), terms.shares, 0
        );
        emit DatasetCreated(dataset, institution, curator, address(vault), terms);
    }

    /// @inheritdoc IDatasetRegistry
    function contributeWork(DatasetId dataset, Class class, address contributor, bytes32 work, uint32 score)
        external
    {
        _requireCurator(dataset, _existing(dataset).institution);
        if (class != Class.Annotation && class != Class.Development) revert DatasetClassInvalid(class);
        if (score == 0) revert DatasetScoreInvalid(WeightRule.Scored, score);
        _participants.requireRole(contributor, class == Class.Annotation ? Roles.ANNOTATOR : Roles.DEVELOPER);
        _add(dataset, class, work, contributor, contributor, score, 0);
    }

    /// @inheritdoc IDatasetRegistry
    function freeze(DatasetId dataset, bytes32 root, uint32 contributions) external returns (uint32 version) {
        Dataset storage record = _existing(dataset);
        _requireCurator(dataset, record.institution);
        if (root == 0 || contributions == 0) revert DatasetVersionEmpty();
        version = ++record.versions;
        _versions[dataset][version] = root;
        emit VersionFrozen(dataset, version, root, contributions);
    }

    // ------------------------------------------------------------------ contributors

    /// @inheritdoc IDatasetRegistry
    function contribute(DatasetId dataset, Class class, ImageSet calldata imageSet, uint32 score) external {
        Dataset storage record = _existing(dataset);
        address institution = record.institution;
        WeightRule rule = record.rule;
        address sender = _msgSender();
        if (rule == WeightRule.Scored || (sender != imageSet.patient && sender != imageSet.custodian)) {
            _requireCurator(dataset, institution);
        }
        if ((rule == WeightRule.Scored) != (score != 0)) revert DatasetScoreInvalid(rule, score);
        address beneficiary = _beneficiary(class, imageSet);
        ImageId image = imageSet.id();
        bytes32 grantId = _consents.requirePermitted(institution, imageSet, _use(record));
        if (rule == WeightRule.PerSet) score = 1;
        if (rule == WeightRule.PerInstance) score = _images.imageOf(image).instances;
        _add(dataset, class, ImageId.unwrap(image), address(0), beneficiary, score, grantId);
    }

    /// @inheritdoc IDatasetRegistry
    function withdraw(DatasetId dataset, Class class, ImageSet calldata imageSet) external {
        address beneficiary = _beneficiary(class, imageSet);
        address sender = _msgSender();
        if (sender != imageSet.patient && sender != beneficiary && _isConsented(dataset, imageSet)) {
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
        address sender = _msgSender();
        RewardAccounts.Contributor storage contributor = _contributors[_accountId(dataset, class, sender)];
        if (contributor.isFree() == free) revert DatasetChoiceUnchanged(free);
        _classes[dataset][class].setFree(contributor, free);
        emit FreeContributionChosen(dataset, sender, class, free);
    }

    // ------------------------------------------------------------------ money

    /// @inheritdoc IDatasetRegistry
    /// @dev The guard keeps a token that calls back from having one payment counted twice.
    function fund(DatasetId dataset, uint256 amount) external nonReentrant {
        Dataset storage record = _existing(dataset);
        address vault = record.vault;
        IERC20 token = DatasetVault(vault).token();
        address sender = _msgSender();
        uint256 before = token.balanceOf(vault);
        token.safeTransferFrom(sender, vault, amount);
        // A token may keep a fee: what counts is what arrived.
        uint256 received = token.balanceOf(vault) - before;
        if (received == 0 || received > type(uint96).max) revert DatasetAmountInvalid(received);
        _share(dataset, record.shares, received);
        emit DatasetFunded(dataset, sender, received);
    }

    /// @inheritdoc IDatasetRegistry
    function claim(DatasetId dataset, Class class) external {
        address sender = _msgSender();
        RewardAccounts.Contributor storage contributor = _contributors[_accountId(dataset, class, sender)];
        if (contributor.isClosed()) revert DatasetIdentityChangedHands(sender);
        _pay(dataset, class, contributor, sender, sender);
    }

    /// @inheritdoc IDatasetRegistry
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external {
        address sender = _msgSender();
        if (!_identities.mayAct(beneficiary, sender, DELEGATE_TYPE)) revert DatasetNotAuthorized(beneficiary, sender);
        RewardAccounts.Contributor storage contributor = _contributors[_accountId(dataset, class, beneficiary)];
        if (_identities.identityOwner(beneficiary) != beneficiary) contributor.close();
        _pay(dataset, class, contributor, beneficiary, to);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDatasetRegistry
    function datasetOf(DatasetId dataset) external view returns (Dataset memory) {
        return _datasets[dataset];
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
        return _contributions[_contributionId(dataset, class, item, contributor)];
    }

    /// @inheritdoc IDatasetRegistry
    function weightOf(DatasetId dataset, Class class) external view returns (uint64) {
        return _classes[dataset][class].weight;
    }

    /// @inheritdoc IDatasetRegistry
    function contributorOf(DatasetId dataset, Class class, address beneficiary)
        external
        view
        returns (uint32 weight, uint256 due, bool free)
    {
        RewardAccounts.Contributor memory contributor = _contributors[_accountId(dataset, class, beneficiary)];
        due = RewardAccounts.due(_classes[dataset][class], contributor);
        return (contributor.weight, due, contributor.flags & RewardAccounts.FREE != 0);
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
        if (_contributions[id].state != ContributionState.None) revert DatasetAlreadyContributed(dataset, class, item);
        _contributions[id] = Contribution(weight, uint40(block.timestamp), ContributionState.Counted);
        _classes[dataset][class].addWeight(_contributors[_accountId(dataset, class, beneficiary)], weight);
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
        Contribution storage contribution = _contributions[_contributionId(dataset, class, item, contributor)];
        if (contribution.state != ContributionState.Counted) revert DatasetNotContributed(dataset, class, item);
        contribution.state = ContributionState.Withdrawn;
        _classes[dataset][class].removeWeight(
            _contributors[_accountId(dataset, class, beneficiary)], contribution.weight
        );
        emit ContributionWithdrawn(dataset, beneficiary, item, class, actor);
    }

    /// @dev A class in which nobody has a weight leaves its part to the others; what rounding leaves stays in the vault.
    function _share(DatasetId dataset, uint16[4] memory shares, uint256 received) private {
        uint256 sum = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] != 0 && _classes[dataset][Class(i)].weight == 0) shares[i] = 0;
            sum += shares[i];
        }
        if (sum == 0) revert DatasetHasNoContributors(dataset);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] != 0) _classes[dataset][Class(i)].share(received * shares[i] / sum);
        }
    }

    /// @dev The account is settled before the token is called.
    function _pay(
        DatasetId dataset,
        Class class,
        RewardAccounts.Contributor storage contributor,
        address beneficiary,
        address to
    ) private {
        uint256 amount = _classes[dataset][class].collect(contributor);
        if (amount == 0) revert DatasetNothingDue(dataset, class, beneficiary);
        emit RewardClaimed(dataset, beneficiary, class, to, amount);
        DatasetVault(_datasets[dataset].vault).pay(to, amount);
    }

    function _existing(DatasetId dataset) private view returns (Dataset storage record) {
        record = _datasets[dataset];
        if (record.institution == address(0)) revert DatasetUnknown(dataset);
    }

    function _requireCurator(DatasetId dataset, address institution) private view {
        if (_participants.requireRole(_msgSender(), Roles.RESEARCHER) != institution) {
            revert DatasetNotCurator(dataset, institution);
        }
    }

    function _isConsented(DatasetId dataset, ImageSet calldata imageSet) private view returns (bool) {
        Dataset storage record = _existing(dataset);
        (IConsentRegistry.Reason reason,) = _consents.permitted(record.institution, imageSet, _use(record));
        return reason == IConsentRegistry.Reason.Permitted;
    }

    function _use(Dataset storage record) private view returns (IConsentRegistry.Use memory) {
        uint16 purposes = record.purposes;
        // Only disease specific research has a disease, in a slot of its own.
        bytes13 disease = purposes & DataUse.DISEASE_RESEARCH != 0 ? record.disease : bytes13(0);
        return IConsentRegistry.Use(purposes, record.fulfilled, disease);
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
