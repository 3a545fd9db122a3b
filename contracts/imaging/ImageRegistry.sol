// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {Roles} from "../lib/Roles.sol";
import {ImageId, ImageSet, ImageSetLibrary} from "../types/ImageSet.sol";
import {ImageSlot, ImageSlotLibrary} from "./ImageSlot.sol";

/// @title ImageRegistry
/// @notice Anchors image sets. See {IImageRegistry}.
contract ImageRegistry is IImageRegistry, ERC2771Context {
    bytes32 private constant DELEGATE_TYPE = "radledger.consent";

    IIdentityRegistry private immutable _identities;
    IParticipantRegistry private immutable _participants;

    mapping(ImageId image => ImageSlot) private _images;

    // ------------------------------------------------------------------ construction

    /// @param identities registry of identities, their delegates and recoveries
    /// @param participants registry of accredited participants
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(IIdentityRegistry identities, IParticipantRegistry participants, address forwarder)
        ERC2771Context(forwarder)
    {
        _identities = identities;
        _participants = participants;
    }

    // ------------------------------------------------------------------ writes, by the custodian

    /// @inheritdoc IImageRegistry
    function anchor(NewImageSet calldata newImageSet) external returns (ImageId image) {
        return _anchor(_custodian(), newImageSet, ImageId.wrap(0));
    }

    /// @inheritdoc IImageRegistry
    function anchorBatch(NewImageSet[] calldata newImageSets) external {
        address custodian = _custodian();
        for (uint256 i = 0; i < newImageSets.length; ++i) {
            _anchor(custodian, newImageSets[i], ImageId.wrap(0));
        }
    }

    /// @inheritdoc IImageRegistry
    function supersede(NewImageSet calldata newImageSet, ImageSet calldata parent) external returns (ImageId image) {
        if (newImageSet.kind == Kind.Original) revert ImageKindNotDerived(newImageSet.kind);
        if (newImageSet.patient != parent.patient) revert ImagePatientDiffers(newImageSet.patient, parent.patient);
        (ImageId parentImage, ImageSlot slot) = _requireHeld(parent);
        if (slot.isDisowned()) revert ImageIsDisowned(parentImage);
        return _anchor(parent.custodian, newImageSet, parentImage);
    }

    /// @inheritdoc IImageRegistry
    function rekey(ImageSet calldata imageSet, bytes32 manifest) external {
        (ImageId image,) = _requireHeld(imageSet);
        emit ImageRekeyed(image, manifest);
    }

    /// @inheritdoc IImageRegistry
    function erase(ImageSet calldata imageSet, bytes32 certificate) external {
        (ImageId image, ImageSlot slot) = _requireHeld(imageSet);
        _images[image] = slot.withState(State.Erased);
        emit ImageErased(image, certificate);
    }

    // ------------------------------------------------------------------ writes, by the patient

    /// @inheritdoc IImageRegistry
    function disown(ImageSet calldata imageSet) external {
        (address actor, ImageId image, ImageSlot slot) = _requireDecides(imageSet);
        if (slot.isDisowned()) revert ImageIsDisowned(image);
        _images[image] = slot.withState(State.Disowned);
        emit ImageDisowned(image, actor);
    }

    /// @inheritdoc IImageRegistry
    function acknowledge(ImageSet calldata imageSet) external {
        (address actor, ImageId image, ImageSlot slot) = _requireDecides(imageSet);
        if (!slot.isDisowned()) revert ImageNotDisowned(image);
        _images[image] = slot.withState(State.Anchored);
        emit ImageAcknowledged(image, actor);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IImageRegistry
    function imageOf(ImageId image) external view returns (Image memory) {
        return _images[image].unpack();
    }

    /// @inheritdoc IImageRegistry
    function stateOf(ImageId image) external view returns (State) {
        return _images[image].state();
    }

    /// @inheritdoc IImageRegistry
    function idOf(ImageSet calldata imageSet) external pure returns (ImageId) {
        return imageSet.id();
    }

    // ------------------------------------------------------------------ internal

    function _anchor(address custodian, NewImageSet calldata newImageSet, ImageId parent)
        private
        returns (ImageId image)
    {
        address patient = newImageSet.patient;
        bytes32 root = newImageSet.root;
        uint32 instances = newImageSet.instances;
        if (patient == address(0) || root == 0 || instances == 0) revert ImageIncomplete(patient, root, instances);
        _requireOwnGroups(newImageSet.visit, newImageSet.course, custodian);

        image = ImageSetLibrary.id(custodian, patient, root, newImageSet.visit, newImageSet.course);
        if (_images[image].exists()) revert ImageAlreadyAnchored(image);
        _images[image] = ImageSlotLibrary.anchored(patient, instances);
        emit ImageAnchored(
            image,
            custodian,
            patient,
            root,
            newImageSet.manifest,
            newImageSet.visit,
            newImageSet.course,
            instances,
            newImageSet.kind,
            parent
        );
    }

    /// @dev The institution for which the caller may anchor.
    function _custodian() private view returns (address) {
        return _participants.requireRole(_msgSender(), Roles.CUSTODIAN);
    }

    /// @dev Reverts unless visit and course are each zero or end in the custodian's address. So a custodian cannot name a
    /// visit after another custodian's visit, course or image set, or after {Scopes-EMERGENCY}, and bring its own image sets
    /// under a grant that was given for those.
    function _requireOwnGroups(bytes32 visit, bytes32 course, address custodian) private pure {
        bool own = (visit == 0 || address(uint160(uint256(visit))) == custodian)
            && (course == 0 || address(uint160(uint256(course))) == custodian);
        if (!own) revert ImageGroupsNotOfCustodian(visit, course, custodian);
    }

    /// @dev Reverts unless the image set is held by the caller's institution, and not erased.
    function _requireHeld(ImageSet calldata imageSet) private view returns (ImageId image, ImageSlot slot) {
        address institution = _custodian();
        if (institution != imageSet.custodian) revert ImageNotCustodian(imageSet.custodian, institution);
        return _requirePresent(imageSet);
    }

    /// @dev Reverts unless the caller may act for the patient whom the image set names, and it is not erased.
    function _requireDecides(ImageSet calldata imageSet)
        private
        view
        returns (address actor, ImageId image, ImageSlot slot)
    {
        actor = _msgSender();
        if (!_identities.mayAct(imageSet.patient, actor, DELEGATE_TYPE)) {
            revert ImageNotAuthorized(imageSet.patient, actor);
        }
        (image, slot) = _requirePresent(imageSet);
    }

    /// @dev Reverts unless the image set was anchored, and not erased since.
    function _requirePresent(ImageSet calldata imageSet) private view returns (ImageId image, ImageSlot slot) {
        image = imageSet.id();
        slot = _images[image];
        if (!slot.exists()) revert ImageNotAnchored(image);
        if (slot.isErased()) revert ImageIsErased(image);
    }
}
