// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ImageId, ImageSet} from "../contracts/types/ImageSet.sol";
import {Time} from "../contracts/types/Time.sol";

/// @title Image sets: whose they are, what their fingerprint is, and since when
/// @notice A custodian anchors the Merkle root of an image set. Nothing is overwritten: a correction or a
/// derivative is a new image set that names the one it came from. A patient who is named by mistake disowns the set.
/// @dev What this contract trusts, and with what:
/// - the identity registry: who may act for a patient;
/// - the participant registry: who is an accredited custodian, and for which institution an account acts;
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771);
/// - a custodian: that the patient it names is the patient, and that the instances hash to the root.
///   Any reader of the images can check the second. No contract can check the first, so the patient can disown it.
interface IImageRegistry {
    // ------------------------------------------------------------------ types

    /// @notice How an image set came about.
    enum Kind {
        Original,
        Deidentified,
        Derived,
        Segmentation,
        Corrected
    }

    /// @notice Whether an image set may be used.
    enum State {
        Unknown,
        Anchored,
        Erased,
        Disowned
    }

    /// @notice What a custodian states about a new image set.
    /// @param patient address that decides about the images
    /// @param root root of the salted Merkle tree over the instances
    /// @param manifest SHA-256 multihash digest of the encrypted manifest's CID
    /// @param visit 12 bytes of the salted digest of the visit, then the custodian's address
    /// @param course the same of the course of treatment; zero when there is none
    /// @param instances number of DICOM instances in the set
    /// @param kind how the set came about
    struct NewImageSet {
        address patient;
        bytes32 root;
        bytes32 manifest;
        bytes32 visit;
        bytes32 course;
        uint32 instances;
        Kind kind;
    }

    /// @notice What the chain keeps of an image set.
    /// @param patient address that decides about the images
    /// @param anchoredAt time of anchoring
    /// @param instances number of DICOM instances
    /// @param state whether the set may be used
    struct Image {
        address patient;
        Time anchoredAt;
        uint32 instances;
        State state;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The image set is already anchored.
    /// @param image id of the image set
    error ImageAlreadyAnchored(ImageId image);

    /// @notice No such image set is anchored.
    /// @param image id of the image set
    error ImageNotAnchored(ImageId image);

    /// @notice The image set was erased for good.
    /// @param image id of the image set
    error ImageIsErased(ImageId image);

    /// @notice The patient disowned the image set.
    /// @param image id of the image set
    error ImageIsDisowned(ImageId image);

    /// @notice The image set is not disowned.
    /// @param image id of the image set
    error ImageNotDisowned(ImageId image);

    /// @notice The caller may not act for the patient.
    /// @param patient whom the image set names
    /// @param actor who called
    error ImageNotAuthorized(address patient, address actor);

    /// @notice The caller does not act for the institution that holds the images.
    /// @param custodian institution that holds them
    /// @param institution institution of the caller
    error ImageNotCustodian(address custodian, address institution);

    /// @notice The image set lacks a patient, a root or instances.
    /// @param patient address that decides about the images
    /// @param root root of the Merkle tree over the instances
    /// @param instances number of instances
    error ImageIncomplete(address patient, bytes32 root, uint32 instances);

    /// @notice The visit or course does not end in the address of the custodian.
    /// @param visit the visit
    /// @param course the course of treatment
    /// @param custodian institution for which the caller anchors
    error ImageGroupsNotOfCustodian(bytes32 visit, bytes32 course, address custodian);

    /// @notice The new version names another patient than the image set that it came from.
    /// @param patient whom the new version names
    /// @param parentPatient whom the image set that it came from names
    error ImagePatientDiffers(address patient, address parentPatient);

    /// @notice A new version of an image set cannot be an original.
    /// @param kind the kind of the new version
    error ImageKindNotDerived(Kind kind);

    // ------------------------------------------------------------------ events

    /// @notice An image set was anchored.
    /// @param image id of the image set
    /// @param custodian institution that holds it
    /// @param patient address that decides about it
    /// @param root root of the salted Merkle tree over the instances
    /// @param manifest SHA-256 multihash digest of the encrypted manifest's CID
    /// @param visit the visit
    /// @param course the course of treatment, or zero
    /// @param instances number of DICOM instances
    /// @param kind how the set came about
    /// @param parent the set that it came from, or zero
    event ImageAnchored(
        ImageId indexed image,
        address indexed custodian,
        address indexed patient,
        bytes32 root,
        bytes32 manifest,
        bytes32 visit,
        bytes32 course,
        uint32 instances,
        Kind kind,
        ImageId parent
    );

    /// @notice The files of an image set were encrypted again, under a new key.
    /// @param image id of the image set
    /// @param manifest SHA-256 multihash digest of the new manifest's CID
    event ImageRekeyed(ImageId indexed image, bytes32 manifest);

    /// @notice An image set was erased.
    /// @param image id of the image set
    /// @param certificate digest of the erasure certificate
    event ImageErased(ImageId indexed image, bytes32 certificate);

    /// @notice An image set was disowned.
    /// @param image id of the image set
    /// @param actor who acted for the patient
    event ImageDisowned(ImageId indexed image, address actor);

    /// @notice A disowned image set was acknowledged again.
    /// @param image id of the image set
    /// @param actor who acted for the patient
    event ImageAcknowledged(ImageId indexed image, address actor);

    // ------------------------------------------------------------------ writes

    /// @notice Anchors an image set for the caller's institution.
    /// @param newImageSet the image set
    /// @return image its id
    function anchor(NewImageSet calldata newImageSet) external returns (ImageId image);

    /// @notice Anchors several image sets; none is anchored when one is refused.
    /// @param newImageSets the image sets
    function anchorBatch(NewImageSet[] calldata newImageSets) external;

    /// @notice Anchors an image set that came from another one of the same custodian and patient.
    /// @param newImageSet the new image set
    /// @param parent the image set that it came from
    /// @return image id of the new image set
    function supersede(NewImageSet calldata newImageSet, ImageSet calldata parent) external returns (ImageId image);

    /// @notice Points to a new manifest of the same root, after the files were encrypted under a new key.
    /// @param imageSet the image set
    /// @param manifest SHA-256 multihash digest of the new manifest's CID
    function rekey(ImageSet calldata imageSet, bytes32 manifest) external;

    /// @notice Marks an image set as erased, for good.
    /// @param imageSet the image set
    /// @param certificate digest of the erasure certificate
    function erase(ImageSet calldata imageSet, bytes32 certificate) external;

    /// @notice Disowns an image set that names the patient by mistake, or that the patient does not recognise.
    /// @dev No use of it is permitted from then on, not even the patient's own or in an emergency, and no version of it is
    /// anchored. Its custodian can still re-key and erase it. Versions that exist are image sets of their own.
    /// @param imageSet the image set; the caller is its patient's owner or delegate of type "radledger.consent"
    function disown(ImageSet calldata imageSet) external;

    /// @notice Acknowledges a disowned image set again; the patient's grants apply to it again.
    /// @param imageSet the image set; the caller is its patient's owner or delegate of type "radledger.consent"
    function acknowledge(ImageSet calldata imageSet) external;

    // ------------------------------------------------------------------ views

    /// @notice What the chain keeps of an image set.
    /// @param image id of the image set
    /// @return kept its fields; all zero when it was never anchored
    function imageOf(ImageId image) external view returns (Image memory kept);

    /// @notice Whether an image set may be used.
    /// @param image id of the image set
    /// @return state its state
    function stateOf(ImageId image) external view returns (State state);

    /// @notice Computes the id of an image set.
    /// @param imageSet the image set
    /// @return image its id
    function idOf(ImageSet calldata imageSet) external pure returns (ImageId image);
}
