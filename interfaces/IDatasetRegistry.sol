// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DatasetId} from "../contracts/types/DatasetId.sol";
import {Disease} from "../contracts/types/Disease.sol";
import {Purposes} from "../contracts/types/Purposes.sol";
import {IConsentOracle} from "./IConsentOracle.sol";
import {IDatasetContributions} from "./IDatasetContributions.sol";

/// @title Data sets: what they consist of, who contributed, and how the benefit is shared
/// @notice An institution creates a data set with terms that never change. Image sets enter it with the patient's
/// consent to that institution for the declared use, once one of its researchers has accepted them; the patient and the
/// custodian earn, whichever account calls. Anyone funds it, each contributor claims what is due, and every data set's money lies
/// in a vault of its own.
/// @dev What this contract trusts, and with what:
/// - the consent registry: whether the institution may use an image set for the declared use;
/// - the participant registry: who is a researcher of which institution, who annotates, develops and keeps images;
/// - the identity registry: who may collect, choose and withdraw for a contributor;
/// - the image registry: the number of instances that a custodian stated;
/// - the institution's researchers (its curators): that they accept image sets that exist, each once, and the weights
/// that they give where the terms say so, within one class. A custodian adds nothing to
/// another institution's data set by itself;
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771);
/// - the token: nothing. A hostile one can make the money of its data sets worthless or lost, and nothing else: it keeps
/// no contributor in a data set.
interface IDatasetRegistry is IDatasetContributions {
    // ------------------------------------------------------------------ types

    /// @notice The terms of a data set, fixed at its creation.
    /// @param token ERC-20 token in which it is funded
    /// @param shares part of each class in basis points, 10,000 in all; a class in which no contributor has
    /// a weight when a payment arrives leaves its part to the others
    /// @param rule how much an image set weighs
    /// @param mostInstances how many instances of one image set count at most; zero unless the rule is `PerInstance`
    /// @param use what the institution will do with the images
    /// @param protocol digest of the document that describes the data set
    struct Terms {
        address token;
        uint16[4] shares;
        WeightRule rule;
        uint32 mostInstances;
        IConsentOracle.Use use;
        bytes32 protocol;
    }

    /// @notice A data set as the chain keeps it.
    /// @param institution whose data set it is, and to whom patients consent
    /// @param rule how much an image set weighs
    /// @param mostInstances how many instances of one image set count at most
    /// @param use what the institution does with the images
    /// @param shares part of each class in basis points
    /// @param vault where its money lies
    /// @param versions number of frozen versions
    struct Dataset {
        address institution;
        WeightRule rule;
        uint32 mostInstances;
        IConsentOracle.Use use;
        uint16[4] shares;
        address vault;
        uint32 versions;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The data set already exists.
    /// @param dataset id of the data set
    error DatasetAlreadyCreated(DatasetId dataset);

    /// @notice No use is declared, or it is clinical care alone, or it names a disease without being research on it.
    /// @param purposes purposes of the use
    /// @param disease the disease
    error DatasetUseInvalid(Purposes purposes, Disease disease);

    /// @notice The limit of instances is missing, or is given although the weight rule does not count instances.
    /// @param rule the weight rule
    /// @param mostInstances the limit
    error DatasetInstancesInvalid(WeightRule rule, uint32 mostInstances);

    /// @notice The version has no root or no contributions.
    error DatasetVersionEmpty();

    // ------------------------------------------------------------------ events

    /// @notice A data set was created.
    /// @param dataset id of the data set
    /// @param institution whose data set it is
    /// @param curator who created it
    /// @param vault where its money lies
    /// @param terms its terms
    event DatasetCreated(
        DatasetId indexed dataset, address indexed institution, address indexed curator, address vault, Terms terms
    );

    /// @notice A version was frozen.
    /// @param dataset id of the data set
    /// @param version its number, from 1
    /// @param root root of the Merkle tree over its contributions
    /// @param contributions their number
    event DatasetVersionFrozen(DatasetId indexed dataset, uint32 indexed version, bytes32 root, uint32 contributions);

    // ------------------------------------------------------------------ writes

    /// @notice Creates a data set of the caller's institution.
    /// @param terms its terms
    /// @param salt distinguishes it from another one with the same terms
    /// @return dataset its id
    function create(Terms calldata terms, bytes32 salt) external returns (DatasetId dataset);

    /// @notice Freezes a version; the caller is a curator of the data set.
    /// @param dataset id of the data set
    /// @param root root of the Merkle tree over its contributions
    /// @param contributions their number
    /// @return version its number, from 1
    function freeze(DatasetId dataset, bytes32 root, uint32 contributions) external returns (uint32 version);

    // ------------------------------------------------------------------ views

    /// @notice What the chain keeps of a data set.
    /// @param dataset id of the data set
    /// @return kept its fields
    function datasetOf(DatasetId dataset) external view returns (Dataset memory kept);

    /// @notice Computes the id of a data set.
    /// @param institution whose data set it is
    /// @param terms its terms
    /// @param salt distinguishes it from another one with the same terms
    /// @return dataset its id
    function idOf(address institution, Terms calldata terms, bytes32 salt) external pure returns (DatasetId dataset);

    /// @notice A frozen version.
    /// @param dataset id of the data set
    /// @param version its number, from 1
    /// @return root root of the Merkle tree over its contributions; zero when there is no such version
    function versionOf(DatasetId dataset, uint32 version) external view returns (bytes32 root);
}
