// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {ImageId, ImageSet, ImageSetLibrary} from "../lib/ImageSet.sol";
import {Roles} from "../lib/Roles.sol";
import {Scope} from "../lib/Scope.sol";

/// @title ImageRegistry
/// @notice Anchors image sets. See {IImageRegistry}.
contract ImageRegistry is IImageRegistry, ERC2771Context {
    IParticipantRegistry private immutable _participants;

    uint256 private constant STATE_SHIFT = 232;

    // From the lowest bit: patient (160) | anchoredAt (40) | instances (32) | state (8). A nonzero state means "exists".
    mapping(ImageId image => uint256 slot) private _images;

    /// @param participants registry of accredited participants
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(IParticipantRegistry participants, address forwarder) ERC2771Context(forwarder) {
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
        return _anchor(parent.custodian, newImageSet, _requireHeld(parent));
    }

    /// @inheritdoc IImageRegistry
    function rekey(ImageSet calldata imageSet, bytes32 manifest) external {
        emit ImageRekeyed(_requireHeld(imageSet), manifest);
    }

    /// @inheritdoc IImageRegistry
    function erase(ImageSet calldata imageSet, bytes32 certificate) external {
        ImageId image = _requireHeld(imageSet);
        _images[image] = _images[image] & ((1 << STATE_SHIFT) - 1) | uint256(State.Erased) << STATE_SHIFT;
        emit ImageErasureCertified(image, certificate);
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

    /// @dev Reverts unless the image set is usable and held by the caller's institution.
    function _requireHeld(ImageSet calldata imageSet) private view returns (ImageId image) {
        address institution = _custodian();
        if (institution != imageSet.custodian) revert ImageNotCustodian(imageSet.custodian, institution);
        image = imageSet.id();
        State state = State(_images[image] >> STATE_SHIFT);
        if (state == State.Unknown) revert ImageNotAnchored(image);
        if (state == State.Erased) revert ImageErased(image);
    }
}
