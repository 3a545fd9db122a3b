// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IConsentOracle} from "../../interfaces/IConsentOracle.sol";
import {IDatasetContributions} from "../../interfaces/IDatasetContributions.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {Roles} from "../lib/Roles.sol";
import {ShortDomain} from "../lib/ShortDomain.sol";
import {Signatures} from "../lib/Signatures.sol";
import {DatasetId} from "../types/DatasetId.sol";
import {Disease} from "../types/Disease.sol";
import {Duration256} from "../types/Duration.sol";
import {GrantId} from "../types/GrantId.sol";
import {ImageId, ImageSet} from "../types/ImageSet.sol";
import {Purposes} from "../types/Purposes.sol";
import {Time} from "../types/Time.sol";
import {WorkId} from "../types/WorkId.sol";
import {ContributionSlot, ContributionSlotLibrary} from "./ContributionSlot.sol";
import {DatasetMessages} from "./DatasetMessages.sol";
import {DatasetTreasury} from "./DatasetTreasury.sol";
import {TermsSlot} from "./TermsSlot.sol";

/// @title DatasetContributions
/// @notice The part of the data set registry that is contributions: what enters, counts, is suspended and leaves. See
/// {IDatasetContributions}.
abstract contract DatasetContributions is IDatasetContributions, DatasetTreasury, ShortDomain {
    /// @inheritdoc IDatasetContributions
    Duration256 public constant RENEWAL_PERIOD = Duration256.wrap(ContributionSlotLibrary.RENEWAL_PERIOD);

    bytes32 private constant CONSENT_DELEGATE = "radledger.consent";
    string private constant NAME = "RadLedger Data Sets";
    string private constant VERSION = "1";

    IParticipantRegistry internal immutable _participants;
    IImageRegistry private immutable _images;
    IConsentOracle private immutable _consents;

    mapping(DatasetId dataset => TermsSlot) internal _datasets;
    // Only disease-specific research has one, so it is kept apart.
    mapping(DatasetId dataset => Disease) internal _diseases;
    mapping(DatasetId dataset => mapping(ImageId image => ContributionSlot)) private _imageSets;
    mapping(DatasetId dataset => mapping(Class => mapping(WorkId => mapping(address => ContributionSlot)))) private
        _works;

    // ------------------------------------------------------------------ construction

    constructor(
        IIdentityRegistry identities,
        IParticipantRegistry participants,
        IImageRegistry images,
        IConsentOracle consents
    ) DatasetTreasury(identities) EIP712(NAME, VERSION) {
        _participants = participants;
        _images = images;
        _consents = consents;
    }

    // ------------------------------------------------------------------ writes

    /// @inheritdoc IDatasetContributions
    function contribute(DatasetId dataset, ImageSet calldata imageSet, uint32 weight) external {
        _contribute(dataset, imageSet, weight, _msgSender());
    }

    /// @inheritdoc IDatasetContributions
    function contributeAccepted(
        DatasetId dataset,
        ImageSet calldata imageSet,
        uint32 weight,
        Acceptance calldata acceptance
    ) external {
        Time deadline = acceptance.deadline;
        if (block.timestamp > Time.unwrap(deadline)) revert DatasetSignatureExpired(deadline);
        bytes32 digest = _hashTypedDataV4(DatasetMessages.accept(dataset, imageSet.id(), weight, deadline));
        if (!Signatures.isSignedBy(acceptance.curator, digest, acceptance.signature)) {
            revert DatasetBadSignature(acceptance.curator);
        }
        _contribute(dataset, imageSet, weight, acceptance.curator);
    }

    /// @inheritdoc IDatasetContributions
    function contributeWork(DatasetId dataset, Class class, address contributor, WorkId work, uint32 weight) external {
        _requireCurator(dataset, _existing(dataset).institution(), _msgSender());
        if (class != Class.Annotation && class != Class.Development) revert DatasetClassInvalid(class);
        if (weight == 0) revert DatasetWeightInvalid(WeightRule.Scored, weight);
        _participants.requireRole(contributor, class == Class.Annotation ? Roles.ANNOTATOR : Roles.DEVELOPER);
        if (_works[dataset][class][work][contributor].exists()) {
            revert DatasetAlreadyContributed(dataset, WorkId.unwrap(work));
        }
        _works[dataset][class][work][contributor] = ContributionSlotLibrary.counted(weight, false);
        _accounts[dataset].enter(class, contributor, weight);
        emit DatasetWorkContributed(dataset, contributor, work, class, weight);
    }

    /// @inheritdoc IDatasetContributions
    function withdraw(DatasetId dataset, ImageSet calldata imageSet) external {
        address sender = _msgSender();
        ImageId image = imageSet.id();
        ContributionSlot slot = _standing(dataset, image);
        if (_identities.mayAct(imageSet.patient, sender, CONSENT_DELEGATE)) {
            if (slot.state() == ContributionState.Counted) _leaveAll(dataset, imageSet, slot);
            _imageSets[dataset][image] = slot.withdrawn();
            emit DatasetImageWithdrawn(dataset, image, sender);
        } else if (_mayCollect(imageSet.custodian, sender)) {
            if (!slot.hasCustody()) revert DatasetNotContributed(dataset, ImageId.unwrap(image));
            if (slot.state() == ContributionState.Counted) {
                _accounts[dataset].leave(Class.Custody, imageSet.custodian, slot.weight());
            }
            _imageSets[dataset][image] = slot.withoutCustody();
            emit DatasetCustodyWithdrawn(dataset, image, sender);
        } else {
            revert DatasetNotAuthorized(imageSet.patient, sender);
        }
    }

    /// @inheritdoc IDatasetContributions
    function withdrawWork(DatasetId dataset, Class class, WorkId work) external {
        address sender = _msgSender();
        if (_isClosed(dataset, class, sender)) revert DatasetIdentityChangedHands(sender);
        ContributionSlot slot = _works[dataset][class][work][sender];
        if (slot.state() != ContributionState.Counted) revert DatasetNotContributed(dataset, WorkId.unwrap(work));
        _works[dataset][class][work][sender] = slot.withdrawn();
        _accounts[dataset].leave(class, sender, slot.weight());
        emit DatasetWorkWithdrawn(dataset, sender, work, class);
    }

    /// @inheritdoc IDatasetContributions
    function suspend(DatasetId dataset, ImageSet calldata imageSet) external {
        address sender = _msgSender();
        TermsSlot terms = _existing(dataset);
        (IConsentOracle.Reason reason,) = _consents.permitted(terms.institution(), imageSet, _use(dataset, terms));
        // A suspension of the institution may be lifted, and does not end the patient's consent.
        if (reason == IConsentOracle.Reason.Permitted || reason == IConsentOracle.Reason.ReaderSuspended) {
            revert DatasetStillConsented(sender);
        }
        ImageId image = imageSet.id();
        ContributionSlot slot = _imageSets[dataset][image];
        if (slot.state() != ContributionState.Counted) revert DatasetNotContributed(dataset, ImageId.unwrap(image));
        _imageSets[dataset][image] = slot.suspended();
        _leaveAll(dataset, imageSet, slot);
        emit DatasetImageSuspended(
            dataset, image, sender, Time.wrap(uint40(block.timestamp + ContributionSlotLibrary.RENEWAL_PERIOD))
        );
    }

    /// @inheritdoc IDatasetContributions
    function resume(DatasetId dataset, ImageSet calldata imageSet) external {
        (ImageId image, GrantId grantId) = _requireConsent(dataset, _existing(dataset), imageSet);
        ContributionSlot slot = _imageSets[dataset][image];
        if (slot.state() != ContributionState.Suspended) revert DatasetNotSuspended(dataset, ImageId.unwrap(image));
        _imageSets[dataset][image] = slot.resumed();
        if (slot.hasCustody()) _accounts[dataset].enterBoth(imageSet.patient, imageSet.custodian, slot.weight());
        else _accounts[dataset].enter(Class.Data, imageSet.patient, slot.weight());
        emit DatasetImageResumed(dataset, image, _msgSender(), grantId);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDatasetContributions
    function imageSetOf(DatasetId dataset, ImageId image) external view returns (Contribution memory) {
        return _imageSets[dataset][image].unpack();
    }

    /// @inheritdoc IDatasetContributions
    function workOf(DatasetId dataset, Class class, address contributor, WorkId work)
        external
        view
        returns (Contribution memory)
    {
        return _works[dataset][class][work][contributor].unpack();
    }

    // ------------------------------------------------------------------ internal

    function _domain() internal pure override returns (string memory name, string memory version) {
        return (NAME, VERSION);
    }

    /// @dev Data and custody enter together, so that neither takes the other's share by coming first.
    function _contribute(DatasetId dataset, ImageSet calldata imageSet, uint32 weight, address curator) private {
        TermsSlot terms = _existing(dataset);
        _requireCurator(dataset, terms.institution(), curator);
        (ImageId image, GrantId grantId) = _requireConsent(dataset, terms, imageSet);
        // Like who annotates or develops, a custodian that is suspended adds nothing new.
        _participants.requireRole(imageSet.custodian, Roles.CUSTODIAN);
        if (!_isWeight(weight, terms, image)) revert DatasetWeightInvalid(terms.rule(), weight);
        if (_imageSets[dataset][image].exists()) revert DatasetAlreadyContributed(dataset, ImageId.unwrap(image));
        _imageSets[dataset][image] = ContributionSlotLibrary.counted(weight, true);
        _accounts[dataset].enterBoth(imageSet.patient, imageSet.custodian, weight);
        emit DatasetImageContributed(dataset, image, imageSet.patient, imageSet.custodian, weight, grantId, curator);
    }

    /// @dev Takes a counted image set out of its accounts.
    function _leaveAll(DatasetId dataset, ImageSet calldata imageSet, ContributionSlot slot) private {
        if (slot.hasCustody()) _accounts[dataset].leaveBoth(imageSet.patient, imageSet.custodian, slot.weight());
        else _accounts[dataset].leave(Class.Data, imageSet.patient, slot.weight());
    }

    /// @dev Whether the weight is the one that the terms give the image set, or any where a curator scores.
    function _isWeight(uint32 weight, TermsSlot terms, ImageId image) private view returns (bool) {
        WeightRule rule = terms.rule();
        if (rule == WeightRule.Scored) return weight != 0;
        if (rule == WeightRule.PerSet) return weight == 1;
        return weight == Math.min(_images.imageOf(image).instances, terms.mostInstances());
    }

    /// @dev A contribution that counts or is suspended.
    function _standing(DatasetId dataset, ImageId image) private view returns (ContributionSlot slot) {
        slot = _imageSets[dataset][image];
        if (!slot.stands()) revert DatasetNotContributed(dataset, ImageId.unwrap(image));
    }

    /// @dev An institution reads what it is the patient of without a grant; that is not consent to a data set.
    function _requireConsent(DatasetId dataset, TermsSlot terms, ImageSet calldata imageSet)
        private
        view
        returns (ImageId image, GrantId grantId)
    {
        (image, grantId) = _consents.requirePermitted(terms.institution(), imageSet, _use(dataset, terms));
        if (GrantId.unwrap(grantId) == 0) revert DatasetNotGranted(imageSet.patient);
    }

    function _existing(DatasetId dataset) internal view returns (TermsSlot terms) {
        terms = _datasets[dataset];
        if (!terms.exists()) revert DatasetUnknown(dataset);
    }

    function _requireCurator(DatasetId dataset, address institution, address actor) internal view {
        if (_participants.requireRole(actor, Roles.RESEARCHER) != institution) {
            revert DatasetNotCurator(dataset, institution);
        }
    }

    function _use(DatasetId dataset, TermsSlot terms) internal view returns (IConsentOracle.Use memory) {
        uint16 purposes = terms.purposes();
        Disease disease = purposes & DataUse.DISEASE_RESEARCH != 0 ? _diseases[dataset] : Disease.wrap(0);
        return IConsentOracle.Use(Purposes.wrap(purposes), terms.fulfilled(), disease);
    }
}
