// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IConsentGrants} from "./IConsentGrants.sol";
import {IConsentOracle} from "./IConsentOracle.sol";
import {IConsentRequests} from "./IConsentRequests.sol";
import {IEmergencyAccess} from "./IEmergencyAccess.sol";

// solhint-disable no-empty-blocks

/// @title Consent: who may use whose images for what, now
/// @notice The one oracle of permission. A subject (a patient, as in FHIR R5 Consent) grants a person or an
/// institution the use of an image set, a visit, a course or everything, for purposes, under conditions, for a time.
/// @dev What this contract trusts, and with what:
/// - the identity registry: who may act for a subject, so that after a recovery the old key neither grants nor reads;
/// - the participant registry: to which institution a reader belongs, and whether either is suspended;
/// - the image registry: whether an image set is anchored, and neither erased nor disowned;
/// - a reader: that the use it states is the use it makes. The statement is signed, and kept by the key service.
interface IConsentRegistry is IConsentOracle, IConsentGrants, IConsentRequests, IEmergencyAccess {}
