// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {Roles} from "../lib/Roles.sol";
import {Scope} from "../lib/Scope.sol";
import {ImageId, ImageSet, ImageSetLibrary} from "../types/ImageSet.sol";

/// @title ImageRegistry
/// @notice Anchors image sets. See {IImageRegistry}.
contract ImageRegistry is IImageRegistry, ERC2771Context {
    bytes32 private constant DELEGATE_TYPE = "radledger.consent";
    uint256 private constant STATE_SHIFT = 232;

    IIdentityRegistry private immutable _identities;
    IParticipantRegistry private immutable _participants;

    // From the lowest bit: patient (160) | anchoredAt (40) | instances (32) | state (8). A nonzero state means "exists".
    mapping(ImageId image => uint256 slot) private _images;

    /// @param identities registry of identities, their delegates and recoveries
    /// @param participants registry of accredited participants
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(IIdentityRegistry identities, IParticipantRegistry participants, address forwarder)
        ERC2771Context(forwarder)
    {
        _identities = identities;
        _participants = participants;
    }

    // ------------------------------------------------------------------ custodians

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
        (ImageId parentImage, State state) = _requireHeld(parent);
        if (state == State.Disowned) revert ImageIsDisowned(parentImage);
        return _anchor(parent.custodian, newImageSet, parentImage);
    }

    /// @inheritdoc IImageRegistry
    function rekey(ImageSet calldata imageSet, bytes32 manifest) external {
        (ImageId image,) = _requireHeld(imageSet);
        emit ImageRekeyed(image, manifest);
    }

    /// @inheritdoc IImageRegistry
    function erase(ImageSet calldata imageSet, bytes32 certificate) external {
        (ImageId image,) = _requireHeld(imageSet);
        _setState(image, State.Erased);
        emit ImageErased(image, certificate);
    }

    // ------------------------------------------------------------------ patients

    /// @inheritdoc IImageRegistry
    function disown(ImageSet calldata imageSet) external {
        (address actor, ImageId image, State state) = _requireDecides(imageSet);
        if (state == State.Disowned) revert ImageIsDisowned(image);
        _setState(image, State.Disowned);
        emit ImageDisowned(image, actor);
    }

    /// @inheritdoc IImageRegistry
    function acknowledge(ImageSet calldata imageSet) external {
        (address actor, ImageId image, State state) = _requireDecides(imageSet);
        if (state != State.Disowned) revert ImageNotDisowned(image);
        _setState(image, State.Anchored);
        emit ImageAcknowledged(image, actor);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IImageRegistry
    function imageOf(ImageId image) external view returns (Image memory) {
        uint256 slot = _images[image];
        return Image(address(uint160(slot)), uint40(slot >> 160), uint32(slot >> 200), State(slot >> STATE_SHIFT));
    }

    /// @inheritdoc IImageRegistry
    function stateOf(ImageId image) external view returns (State) {
        return State(_images[image] >> STATE_SHIFT);
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

        if (!Scope.areOf(newImageSet.visit, newImageSet.course, custodian)) {
            revert ImageGroupsNotOfCustodian(newImageSet.visit, newImageSet.course, custodian);
        }

        image = ImageSetLibrary.id(custodian, patient, root, newImageSet.visit, newImageSet.course);
        if (_images[image] != 0) revert ImageAlreadyAnchored(image);
        _images[image] = uint256(uint160(patient)) | uint256(uint40(block.timestamp)) << 160 | uint256(instances) << 200
            | uint256(State.Anchored) << STATE_SHIFT;
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

    function _setState(ImageId image, State state) private {
        _images[image] = _images[image] & ((1 << STATE_SHIFT) - 1) | uint256(state) << STATE_SHIFT;
    }

    /// @dev Reverts unless the image set is held by the caller's institution, and not erased.
    function _requireHeld(ImageSet calldata imageSet) private view returns (ImageId image, State state) {
        address institution = _custodian();
        if (institution != imageSet.custodian) revert ImageNotCustodian(imageSet.custodian, institution);
        return _requirePresent(imageSet);
    }

    /// @dev Reverts unless the caller may act for the patient whom the image set names, and it is not erased.
    function _requireDecides(ImageSet calldata imageSet)
        private
        view
        returns (address actor, ImageId image, State state)
    {
        actor = _msgSender();
        if (!_identities.mayAct(imageSet.patient, actor, DELEGATE_TYPE)) {
            revert ImageNotAuthorized(imageSet.patient, actor);
        }
        (image, state) = _requirePresent(imageSet);
    }

    /// @dev Reverts unless the image set was anchored, and not erased since.
    function _requirePresent(ImageSet calldata imageSet) private view returns (ImageId image, State state) {
        image = imageSet.id();
        state = State(_images[image] >> STATE_SHIFT);
        if (state == State.Unknown) revert ImageNotAnchored(image);
        if (state == State.Erased) revert ImageIsErased(image);
    }
}
