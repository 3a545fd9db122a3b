// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IAlgorithmRegistry} from "../../interfaces/IAlgorithmRegistry.sol";
import {IConsentOracle} from "../../interfaces/IConsentOracle.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {Roles} from "../lib/Roles.sol";
import {AlgorithmId} from "../types/AlgorithmId.sol";
import {AlgorithmVersionId} from "../types/AlgorithmVersionId.sol";
import {DatasetId} from "../types/DatasetId.sol";
import {ExecutionId} from "../types/ExecutionId.sol";
import {GrantId} from "../types/GrantId.sol";
import {ImageId, ImageSet} from "../types/ImageSet.sol";
import {VersionSlot, VersionSlotLibrary} from "./VersionSlot.sol";

/// @title AlgorithmRegistry
/// @notice Records algorithms, their versions and their executions. See {IAlgorithmRegistry}.
contract AlgorithmRegistry is IAlgorithmRegistry, ERC2771Context {
    IParticipantRegistry private immutable _participants;
    IConsentOracle private immutable _consents;

    mapping(AlgorithmVersionId version => VersionSlot) private _versions;

    // ------------------------------------------------------------------ construction

    /// @param participants registry of accredited participants
    /// @param consents registry of consent
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(IParticipantRegistry participants, IConsentOracle consents, address forwarder)
        ERC2771Context(forwarder)
    {
        _participants = participants;
        _consents = consents;
    }

    // ------------------------------------------------------------------ writes, by the developer

    /// @inheritdoc IAlgorithmRegistry
    function register(string calldata name, bytes16 family) external returns (AlgorithmId algorithm) {
        address institution = _participants.requireRole(_msgSender(), Roles.DEVELOPER);
        algorithm = algorithmIdOf(institution, name);
        emit AlgorithmRegistered(algorithm, institution, name, family);
    }

    /// @inheritdoc IAlgorithmRegistry
    function publish(
        string calldata name,
        string calldata label,
        NewVersion calldata newVersion,
        address[] calldata developers
    ) external returns (AlgorithmVersionId version) {
        if (bytes(label).length == 0 || newVersion.digest == 0 || developers.length == 0) {
            revert AlgorithmVersionIncomplete(label, newVersion.digest, developers.length);
        }
        if ((DatasetId.unwrap(newVersion.dataset) == 0) != (newVersion.datasetVersion == 0)) {
            revert AlgorithmTrainingInvalid(newVersion.dataset, newVersion.datasetVersion);
        }
        address institution = _participants.requireRole(_msgSender(), Roles.DEVELOPER);
        AlgorithmVersionId parent = newVersion.parent;
        if (AlgorithmVersionId.unwrap(parent) != 0) _published(parent);
        AlgorithmId algorithm = algorithmIdOf(institution, name);
        version = versionIdOf(algorithm, label, newVersion, developers);
        if (_versions[version].exists()) revert AlgorithmVersionAlreadyPublished(version);
        _versions[version] = VersionSlotLibrary.published(institution);
        emit AlgorithmVersionPublished(version, algorithm, institution, label, newVersion, developers);
    }

    /// @inheritdoc IAlgorithmRegistry
    function recall(AlgorithmVersionId version, bytes32 notice) external {
        VersionSlot slot = _usable(version);
        address actor = _msgSender();
        if (!_participants.hasRole(actor, Roles.REGULATOR)) {
            address institution = _participants.requireRole(actor, Roles.DEVELOPER);
            if (institution != slot.institution()) revert AlgorithmNotPublisher(slot.institution(), institution);
        }
        _versions[version] = slot.recalled();
        emit AlgorithmVersionRecalled(version, actor, notice);
    }

    // ------------------------------------------------------------------ writes, by the operator

    /// @inheritdoc IAlgorithmRegistry
    function recordExecution(
        AlgorithmVersionId version,
        ImageSet[] calldata imageSets,
        IConsentOracle.Use calldata use,
        bytes32 output
    ) external {
        if (imageSets.length == 0 || output == 0) {
            revert AlgorithmExecutionIncomplete(imageSets.length, output);
        }
        _usable(version);
        address operator = _msgSender();
        (ImageId[] memory images, GrantId[] memory grantIds) = _requirePermitted(operator, imageSets, use);
        emit AlgorithmExecutionRecorded(version, operator, output, use, images, grantIds);
    }

    /// @inheritdoc IAlgorithmRegistry
    function recordExecutions(AlgorithmVersionId version, bytes32 root, uint32 count) external {
        if (root == 0 || count == 0) revert AlgorithmExecutionsIncomplete(root, count);
        _published(version);
        address operator = _msgSender();
        (address institution, bool suspended) = _participants.standing(operator);
        if (institution == address(0) || suspended) revert AlgorithmOperatorNotAccredited(operator);
        emit AlgorithmExecutionsRecorded(version, operator, root, count);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IAlgorithmRegistry
    function versionOf(AlgorithmVersionId version) external view returns (Version memory kept) {
        VersionSlot slot = _versions[version];
        return Version(slot.institution(), slot.publishedAt(), slot.recalledAt());
    }

    /// @inheritdoc IAlgorithmRegistry
    function executionIdOf(
        AlgorithmVersionId version,
        address operator,
        ImageId[] calldata images,
        IConsentOracle.Use calldata use,
        bytes32 output
    ) external pure returns (ExecutionId execution) {
        return ExecutionId.wrap(keccak256(abi.encode(version, operator, images, use, output)));
    }

    /// @inheritdoc IAlgorithmRegistry
    function algorithmIdOf(address institution, string calldata name) public pure returns (AlgorithmId algorithm) {
        if (bytes(name).length == 0) revert AlgorithmNameMissing();
        return AlgorithmId.wrap(keccak256(abi.encodePacked(institution, name)));
    }

    /// @inheritdoc IAlgorithmRegistry
    function versionIdOf(
        AlgorithmId algorithm,
        string calldata label,
        NewVersion calldata newVersion,
        address[] calldata developers
    ) public pure returns (AlgorithmVersionId version) {
        return AlgorithmVersionId.wrap(keccak256(abi.encode(algorithm, label, newVersion, developers)));
    }

    // ------------------------------------------------------------------ internal

    /// @dev A version that was published, recalled or not.
    function _published(AlgorithmVersionId version) private view returns (VersionSlot slot) {
        slot = _versions[version];
        if (!slot.exists()) revert AlgorithmVersionUnknown(version);
    }

    /// @dev A version that was published, and not recalled since.
    function _usable(AlgorithmVersionId version) private view returns (VersionSlot slot) {
        slot = _published(version);
        if (slot.isRecalled()) revert AlgorithmVersionIsRecalled(version);
    }

    /// @dev Asking about a single image set without arrays costs less.
    function _requirePermitted(address operator, ImageSet[] calldata imageSets, IConsentOracle.Use calldata use)
        private
        view
        returns (ImageId[] memory images, GrantId[] memory grantIds)
    {
        if (imageSets.length > 1) return _consents.requirePermittedBatch(operator, imageSets, use);
        images = new ImageId[](1);
        grantIds = new GrantId[](1);
        (images[0], grantIds[0]) = _consents.requirePermitted(operator, imageSets[0], use);
    }
}
