// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AlgorithmId} from "../contracts/types/AlgorithmId.sol";
import {AlgorithmVersionId} from "../contracts/types/AlgorithmVersionId.sol";
import {DatasetId} from "../contracts/types/DatasetId.sol";
import {ExecutionId} from "../contracts/types/ExecutionId.sol";
import {GrantId} from "../contracts/types/GrantId.sol";
import {ImageId, ImageSet} from "../contracts/types/ImageSet.sol";
import {Time} from "../contracts/types/Time.sol";
import {IConsentOracle} from "./IConsentOracle.sol";

/// @title Algorithms: what they are, what they were trained on, and on which images they were executed
/// @notice An institution's developers register its algorithms and publish versions of them. A version names the data set
/// version that it was trained on and the version that it came from. An operator records the executions of a version; it
/// must be permitted the use of the images, like any other reader. A faulty version is recalled.
/// @dev The names of an algorithm, of its version and of its family are those of DICOM's Algorithm Identification
/// (PS3.16, TID 4019), so that a structured report or a segmentation can be compared with the chain. The source is the
/// institution.
/// @dev What this contract trusts, and with what:
/// - the participant registry: who develops for which institution, who is a regulator, and who is accredited;
/// - the consent registry: whether an operator may use an image set for the stated use;
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771);
/// - a developer: what it states about versions of its own institution, the names of developers included. The chain
///   cannot check a digest or a training. That the data set version was frozen before is seen from the events alone;
/// - a regulator: that a version which it recalls, of any institution, is faulty. A recall cannot be undone;
/// - an operator: that the output is what the version made of the images. Anyone who has all three can check it. That
///   the use of images was permitted in executions which it records by a root is shown by receipts, not here.
interface IAlgorithmRegistry {
    // ------------------------------------------------------------------ types

    /// @notice What a developer states about a new version of an algorithm.
    /// @param digest digest of the weights or of the code
    /// @param dataset data set that it was trained on; zero when there is none on this chain
    /// @param datasetVersion number of the frozen version of that data set; zero when there is none
    /// @param conditions digest of the document that describes the training; zero when there is none
    /// @param parent version that it came from, of any algorithm; zero when there is none
    struct NewVersion {
        bytes32 digest;
        DatasetId dataset;
        uint32 datasetVersion;
        bytes32 conditions;
        AlgorithmVersionId parent;
    }

    /// @notice What the chain keeps of a version.
    /// @param institution institution that published it
    /// @param publishedAt time of publication
    /// @param recalledAt time of the recall; zero when it was not recalled
    struct Version {
        address institution;
        Time publishedAt;
        Time recalledAt;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The algorithm has no name.
    error AlgorithmNameMissing();

    /// @notice The version lacks a label, a digest of its weights or code, or developers.
    /// @param label name of the version
    /// @param digest digest of the weights or of the code
    /// @param developers number of developers
    error AlgorithmVersionIncomplete(string label, bytes32 digest, uint256 developers);

    /// @notice A data set is named without a version, or a version without a data set.
    /// @param dataset the data set
    /// @param datasetVersion number of its version
    error AlgorithmTrainingInvalid(DatasetId dataset, uint32 datasetVersion);

    /// @notice The version is already published.
    /// @param version id of the version
    error AlgorithmVersionAlreadyPublished(AlgorithmVersionId version);

    /// @notice No such version of an algorithm is published.
    /// @param version id of the version
    error AlgorithmVersionUnknown(AlgorithmVersionId version);

    /// @notice The version was recalled; use another one.
    /// @param version id of the version
    error AlgorithmVersionIsRecalled(AlgorithmVersionId version);

    /// @notice The caller is neither a regulator nor a developer of the institution that published the version.
    /// @param publisher institution that published the version
    /// @param institution institution of the caller
    error AlgorithmNotPublisher(address publisher, address institution);

    /// @notice The execution lacks image sets or an output.
    /// @param imageSets number of image sets
    /// @param output digest of the output
    error AlgorithmExecutionIncomplete(uint256 imageSets, bytes32 output);

    /// @notice The root is missing, or the number of executions is zero.
    /// @param root root of the Merkle tree over the executions
    /// @param count number of executions
    error AlgorithmExecutionsIncomplete(bytes32 root, uint32 count);

    /// @notice The operator is not an active accredited participant.
    /// @param operator who called
    error AlgorithmOperatorNotAccredited(address operator);

    // ------------------------------------------------------------------ events

    /// @notice An algorithm was registered, or registered again with another family.
    /// @param algorithm id of the algorithm
    /// @param institution institution whose algorithm it is
    /// @param name name of the algorithm
    /// @param family scheme and code of its family, or empty; the last one counts
    event AlgorithmRegistered(AlgorithmId indexed algorithm, address indexed institution, string name, bytes16 family);

    /// @notice A version of an algorithm was published.
    /// @param version id of the version
    /// @param algorithm id of the algorithm
    /// @param institution institution whose algorithm it is
    /// @param label name of the version
    /// @param newVersion what it is, and what it came from
    /// @param developers who developed it
    event AlgorithmVersionPublished(
        AlgorithmVersionId indexed version,
        AlgorithmId indexed algorithm,
        address indexed institution,
        string label,
        NewVersion newVersion,
        address[] developers
    );

    /// @notice A version was recalled.
    /// @param version id of the version
    /// @param actor developer of its institution, or regulator
    /// @param notice digest of the safety notice
    event AlgorithmVersionRecalled(AlgorithmVersionId indexed version, address indexed actor, bytes32 notice);

    /// @notice An execution on images was recorded.
    /// @param version id of the version that was executed
    /// @param operator who executed it
    /// @param output digest of the output
    /// @param use what the images were used for
    /// @param images ids of the image sets, in the order in which the version took them
    /// @param grantIds for each image set, the grant that permitted the use; zero where the operator is the patient
    event AlgorithmExecutionRecorded(
        AlgorithmVersionId indexed version,
        address indexed operator,
        bytes32 indexed output,
        IConsentOracle.Use use,
        ImageId[] images,
        GrantId[] grantIds
    );

    /// @notice Any number of executions was recorded by a root.
    /// @param version id of the version that was executed
    /// @param operator who executed it
    /// @param root root of the Merkle tree over the ids of the executions
    /// @param count number of executions
    event AlgorithmExecutionsRecorded(
        AlgorithmVersionId indexed version, address indexed operator, bytes32 root, uint32 count
    );

    // ------------------------------------------------------------------ writes

    /// @notice Registers an algorithm of the caller's institution, or changes its family.
    /// @dev Nothing is stored. A version can be published before the algorithm is registered.
    /// @param name name of the algorithm, unique within the institution: Algorithm Name (111001, DCM)
    /// @param family scheme and code of the Algorithm Family (111000, DCM), as "DCM:123110"; empty when there is none
    /// @return algorithm id of the algorithm
    function register(string calldata name, bytes16 family) external returns (AlgorithmId algorithm);

    /// @notice Publishes a version of an algorithm of the caller's institution.
    /// @dev The parent may be of another institution's algorithm. It may have been recalled: a fault is corrected so.
    /// @param name name of the algorithm
    /// @param label name of the version, as "2.1.0": Algorithm Version (111003, DCM)
    /// @param newVersion what it is, and what it came from
    /// @param developers who developed it, of any institution
    /// @return version id of the version
    function publish(
        string calldata name,
        string calldata label,
        NewVersion calldata newVersion,
        address[] calldata developers
    ) external returns (AlgorithmVersionId version);

    /// @notice Recalls a faulty version for good: no execution of it on images is recorded from then on.
    /// @param version id of the version; the caller is a developer of its institution, or a regulator
    /// @param notice digest of the document that says what is wrong and what to do
    function recall(AlgorithmVersionId version, bytes32 notice) external;

    /// @notice Records that the caller executed a version on images whose use it is permitted now.
    /// @dev Nothing is stored: an execution that is recorded again is the same execution, by its id.
    /// @param version id of the version, which was not recalled
    /// @param imageSets the image sets, in the order in which the version took them; it costs less where those of one
    /// patient follow one another
    /// @param use what the images are used for
    /// @param output digest of the output, salted if the output can be guessed
    function recordExecution(
        AlgorithmVersionId version,
        ImageSet[] calldata imageSets,
        IConsentOracle.Use calldata use,
        bytes32 output
    ) external;

    /// @notice Records any number of executions of a version by the caller.
    /// @dev The tree is OpenZeppelin's StandardMerkleTree over leaves of the type `(bytes32)`: the ids of the executions,
    /// as {executionIdOf} computes them. It tells of what happened, so the version may have been recalled since.
    /// @param version id of the version
    /// @param root root of the tree
    /// @param count number of executions
    function recordExecutions(AlgorithmVersionId version, bytes32 root, uint32 count) external;

    // ------------------------------------------------------------------ views

    /// @notice What the chain keeps of a version; all zero when it was never published.
    /// @param version id of the version
    /// @return kept the institution, and the times of publication and recall
    function versionOf(AlgorithmVersionId version) external view returns (Version memory kept);

    /// @notice Computes the id of an algorithm: the hash of the institution's 20 bytes and the name in UTF-8.
    /// @param institution institution whose algorithm it is
    /// @param name name of the algorithm
    /// @return algorithm id of the algorithm
    function algorithmIdOf(address institution, string calldata name) external pure returns (AlgorithmId algorithm);

    /// @notice Computes the id of a version of an algorithm.
    /// @param algorithm id of the algorithm
    /// @param label name of the version
    /// @param newVersion what it is, and what it came from
    /// @param developers who developed it
    /// @return version id of the version
    function versionIdOf(
        AlgorithmId algorithm,
        string calldata label,
        NewVersion calldata newVersion,
        address[] calldata developers
    ) external pure returns (AlgorithmVersionId version);

    /// @notice Computes the id of an execution.
    /// @param version id of the version that was executed
    /// @param operator who executed it
    /// @param images ids of the image sets, in the order in which the version took them
    /// @param use what the images were used for
    /// @param output digest of the output
    /// @return execution id of the execution
    function executionIdOf(
        AlgorithmVersionId version,
        address operator,
        ImageId[] calldata images,
        IConsentOracle.Use calldata use,
        bytes32 output
    ) external pure returns (ExecutionId execution);
}
