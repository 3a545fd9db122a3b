// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IConsentOracle} from "../../interfaces/IConsentOracle.sol";
import {DataUse} from "../lib/DataUse.sol";
import {Conditions} from "../types/Conditions.sol";
import {Disease} from "../types/Disease.sol";
import {GrantId} from "../types/GrantId.sol";
import {Purposes} from "../types/Purposes.sol";
import {time32} from "../types/Time.sol";
import {EpochSlot} from "./EpochSlot.sol";
import {GrantSlot} from "./GrantSlot.sol";

/// @notice Who asks for whose records, and the grant that came nearest to permitting the use.
/// @param subject whose records they are
/// @param reader who wants to use them
/// @param group the reader's institution, or the reader if it has none; zero where no grant is asked for
/// @param all the subject's last revocation of all grants
/// @param reason why the use is permitted or not, as far as is known
/// @param grantId id of the nearest grant
/// @param given the nearest grant
struct Decision {
    address subject;
    address reader;
    address group;
    EpochSlot all;
    IConsentOracle.Reason reason;
    GrantId grantId;
    GrantSlot given;
}

using DecisionLibrary for Decision global;

/// @title From a grant to a decision, and from a decision to a refusal
library DecisionLibrary {
    /// @notice Another decision, of which changes leave this one as it is.
    function copy(Decision memory self) internal pure returns (Decision memory) {
        return Decision(self.subject, self.reader, self.group, self.all, self.reason, self.grantId, self.given);
    }

    /// @notice Whether a grant that stands permits a use by its time and its terms.
    function judge(GrantSlot given, IConsentOracle.Use calldata use) internal view returns (IConsentOracle.Reason) {
        if (block.timestamp >= given.until()) return IConsentOracle.Reason.Expired;
        if (block.timestamp < given.from()) return IConsentOracle.Reason.NotYet;
        uint256 disease = uint104(Disease.unwrap(use.disease));
        uint256 only = given.diseaseBits();
        bool sameDisease = disease != 0 && only == disease;
        uint16 purposes = DataUse.stated(Purposes.unwrap(use.purposes), disease != 0);
        if (purposes == 0 || DataUse.missing(given.purposes(), purposes, sameDisease) != 0) {
            return IConsentOracle.Reason.Purpose;
        }
        // Under a grant for one disease, a use that names another is not permitted, care included.
        if (only != 0 && !sameDisease && (disease != 0 || purposes & DataUse.DISEASE_RESEARCH != 0)) {
            return IConsentOracle.Reason.Disease;
        }
        if (given.conditions() & DataUse.REQUIREMENTS & ~Conditions.unwrap(use.fulfilled) != 0) {
            return IConsentOracle.Reason.Condition;
        }
        return IConsentOracle.Reason.Permitted;
    }

    /// @notice Reverts with the reason why a use is not permitted.
    function refuse(Decision memory self, IConsentOracle.Use calldata use) internal pure {
        uint256 reason = uint256(self.reason);
        GrantSlot given = self.given;
        address subject = self.subject;
        address reader = self.reader;
        if (reason == uint256(IConsentOracle.Reason.ReaderSuspended)) {
            revert IConsentOracle.ConsentNotPermittedReaderSuspended(reader);
        }
        if (reason == uint256(IConsentOracle.Reason.Revoked)) {
            revert IConsentOracle.ConsentNotPermittedRevoked(subject, reader);
        }
        if (reason == uint256(IConsentOracle.Reason.Expired)) {
            revert IConsentOracle.ConsentNotPermittedExpired(subject, reader, time32(given.until()));
        }
        if (reason == uint256(IConsentOracle.Reason.NotYet)) {
            revert IConsentOracle.ConsentNotPermittedNotYet(subject, reader, time32(given.from()));
        }
        if (reason == uint256(IConsentOracle.Reason.Purpose)) {
            revert IConsentOracle.ConsentNotPermittedPurpose(Purposes.wrap(given.purposes()), use.purposes);
        }
        if (reason == uint256(IConsentOracle.Reason.Disease)) {
            revert IConsentOracle.ConsentNotPermittedDisease(given.disease(), use.disease);
        }
        if (reason == uint256(IConsentOracle.Reason.Condition)) {
            revert IConsentOracle.ConsentNotPermittedCondition(Conditions.wrap(given.conditions()), use.fulfilled);
        }
        revert IConsentOracle.ConsentNotPermittedNeverGranted(subject, reader);
    }
}
