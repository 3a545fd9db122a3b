// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

import {IConsentOracle} from "../../interfaces/IConsentOracle.sol";
import {IDatasetRegistry} from "../../interfaces/IDatasetRegistry.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {IImageRegistry} from "../../interfaces/IImageRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {DataUse} from "../lib/DataUse.sol";
import {Roles} from "../lib/Roles.sol";
import {DatasetId} from "../types/DatasetId.sol";
import {Disease} from "../types/Disease.sol";
import {Purposes} from "../types/Purposes.sol";
import {DatasetContributions} from "./DatasetContributions.sol";
import {TermsSlot, TermsSlotLibrary} from "./TermsSlot.sol";

/// @title DatasetRegistry
/// @notice Data sets, their terms and their frozen versions, beside contributions and money. See {IDatasetRegistry}.
contract DatasetRegistry is IDatasetRegistry, DatasetContributions {
    mapping(DatasetId dataset => bytes32[] roots) private _versions;

    // ------------------------------------------------------------------ construction

    /// @param identities registry of identities, their delegates and recoveries
    /// @param participants registry of accredited participants
    /// @param images registry of image sets
    /// @param consents registry of consent
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(
        IIdentityRegistry identities,
        IParticipantRegistry participants,
        IImageRegistry images,
        IConsentOracle consents,
        address forwarder
    ) DatasetContributions(identities, participants, images, consents) ERC2771Context(forwarder) {}

    // ------------------------------------------------------------------ writes

    /// @inheritdoc IDatasetRegistry
    function create(Terms calldata terms, bytes32 salt) external returns (DatasetId dataset) {
        address curator = _msgSender();
        address institution = _participants.requireRole(curator, Roles.RESEARCHER);
        IConsentOracle.Use calldata use = terms.use;
        uint16 purposes = Purposes.unwrap(use.purposes);
        bool namesDisease = Disease.unwrap(use.disease) != 0;
        // Clinical care alone is what an emergency permits: a clinician's word, not the patient's consent.
        if (purposes & ~DataUse.CLINICAL_CARE == 0 || (namesDisease && purposes & DataUse.DISEASE_RESEARCH == 0)) {
            revert DatasetUseInvalid(use.purposes, use.disease);
        }
        if ((terms.rule == WeightRule.PerInstance) != (terms.mostInstances != 0)) {
            revert DatasetInstancesInvalid(terms.rule, terms.mostInstances);
        }
        dataset = idOf(institution, terms, salt);
        if (_datasets[dataset].exists()) revert DatasetAlreadyCreated(dataset);
        _datasets[dataset] = TermsSlotLibrary.pack(institution, terms);
        if (namesDisease) _diseases[dataset] = use.disease;
        address vault = _open(dataset, terms.token, terms.shares);
        emit DatasetCreated(dataset, institution, curator, vault, terms);
    }

    /// @inheritdoc IDatasetRegistry
    function freeze(DatasetId dataset, bytes32 root, uint32 contributions) external returns (uint32 version) {
        _requireCurator(dataset, _existing(dataset).institution(), _msgSender());
        if (root == 0 || contributions == 0) revert DatasetVersionEmpty();
        _versions[dataset].push(root);
        version = uint32(_versions[dataset].length);
        emit DatasetVersionFrozen(dataset, version, root, contributions);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDatasetRegistry
    function datasetOf(DatasetId dataset) external view returns (Dataset memory) {
        TermsSlot terms = _existing(dataset);
        return Dataset(
            terms.institution(),
            terms.rule(),
            terms.mostInstances(),
            _use(dataset, terms),
            _sharesOf(dataset),
            _vaultOf(dataset),
            uint32(_versions[dataset].length)
        );
    }

    /// @inheritdoc IDatasetRegistry
    function idOf(address institution, Terms calldata terms, bytes32 salt) public pure returns (DatasetId) {
        return DatasetId.wrap(keccak256(abi.encode(institution, terms, salt)));
    }

    /// @inheritdoc IDatasetRegistry
    function versionOf(DatasetId dataset, uint32 version) external view returns (bytes32 root) {
        bool exists = version != 0 && version <= _versions[dataset].length;
        return exists ? _versions[dataset][version - 1] : bytes32(0);
    }
}
