// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Identifies one anchored image set: the hash of the {ImageSet} that it names.
type ImageId is bytes32;

using ImageSetLibrary for ImageSet global;

/// @notice What an image set is made of; who shows these five values proves each of them to a contract.
/// @param custodian institution that holds the images
/// @param patient address that decides about them
/// @param root root of the salted Merkle tree over the instances
/// @param visit the visit (the DICOM study, unless the custodian groups otherwise): 12 bytes of a salted digest, then
/// the custodian's address, so that it belongs to the custodian
/// @param course the same of the course of treatment; zero when there is none
struct ImageSet {
    address custodian;
    address patient;
    bytes32 root;
    bytes32 visit;
    bytes32 course;
}

/// @title The identity of an image set
library ImageSetLibrary {
    /// @notice Computes the id of an image set.
    /// @dev The custodian is part of it, so an id cannot be taken by another custodian that anchors first.
    function id(ImageSet calldata imageSet) internal pure returns (ImageId) {
        return ImageId.wrap(keccak256(abi.encode(imageSet)));
    }

    /// @notice Computes the id of an image set from its five values.
    function id(address custodian, address patient, bytes32 root, bytes32 visit, bytes32 course)
        internal
        pure
        returns (ImageId)
    {
        return ImageId.wrap(keccak256(abi.encode(custodian, patient, root, visit, course)));
    }
}
