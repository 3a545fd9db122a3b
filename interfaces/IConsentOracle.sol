// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Conditions} from "../contracts/types/Conditions.sol";
import {Disease} from "../contracts/types/Disease.sol";
import {GrantId} from "../contracts/types/GrantId.sol";
import {ImageId, ImageSet} from "../contracts/types/ImageSet.sol";
import {Purposes} from "../contracts/types/Purposes.sol";
import {Scope} from "../contracts/types/Scope.sol";
import {Time32} from "../contracts/types/Time.sol";

/// @title The one oracle of permission: who may use whose records for what, now
/// @notice Grants add up: a use is permitted when any one grant permits it. The consent registry answers, see
/// {IConsentRegistry}; there is one error for each reason.
interface IConsentOracle {
    // ------------------------------------------------------------------ types

    /// @notice Why a use is permitted or not; where several grants refuse it, the reason is that of the closest one.
    enum Reason {
        Permitted,
        NeverGranted,
        Revoked,
        Expired,
        NotYet,
        Purpose,
        Disease,
        Condition,
        ReaderSuspended,
        NotAnchored,
        Erased,
        Disowned
    }

    /// @notice What a reader wants to do.
    /// @param purposes bits of {DataUse}, all of which must be permitted
    /// @param fulfilled conditions of {DataUse} that the use fulfils
    /// @param disease code of the disease under research, or empty; a use that names one is research on it, unless it is
    /// care or teaching alone
    struct Use {
        Purposes purposes;
        Conditions fulfilled;
        Disease disease;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The use is not permitted: nothing was granted.
    /// @param subject who grants, or whose records they are
    /// @param reader who wants to use the records
    error ConsentNotPermittedNeverGranted(address subject, address reader);

    /// @notice The use is not permitted: the grant was revoked, or the emergency access was ended.
    /// @param subject who grants, or whose records they are
    /// @param reader who wants to use the records
    error ConsentNotPermittedRevoked(address subject, address reader);

    /// @notice The use is not permitted: the grant or emergency access has expired.
    /// @param subject who grants, or whose records they are
    /// @param reader who wants to use the records
    /// @param until when the nearest grant ended
    error ConsentNotPermittedExpired(address subject, address reader, Time32 until);

    /// @notice The use is not permitted: the grant has not begun.
    /// @param subject who grants, or whose records they are
    /// @param reader who wants to use the records
    /// @param from when the nearest grant begins
    error ConsentNotPermittedNotYet(address subject, address reader, Time32 from);

    /// @notice The use is not permitted: not all of its purposes are granted.
    /// @param granted what the nearest grant permits
    /// @param used what the use states
    error ConsentNotPermittedPurpose(Purposes granted, Purposes used);

    /// @notice The use is not permitted: the grant is for one disease, which the use does not name.
    /// @param granted the disease of the nearest grant
    /// @param used the disease that the use names
    error ConsentNotPermittedDisease(Disease granted, Disease used);

    /// @notice The use is not permitted: a condition is not fulfilled.
    /// @param required what the nearest grant asks for
    /// @param fulfilled what the use fulfils
    error ConsentNotPermittedCondition(Conditions required, Conditions fulfilled);

    /// @notice The use is not permitted: the reader or its institution is suspended.
    /// @param reader who wants to use the records
    error ConsentNotPermittedReaderSuspended(address reader);

    /// @notice The use is not permitted: no such image set is anchored.
    /// @param image id of the image set
    error ConsentNotPermittedNotAnchored(ImageId image);

    /// @notice The use is not permitted: the image set was erased.
    /// @param image id of the image set
    error ConsentNotPermittedErased(ImageId image);

    /// @notice The use is not permitted: the patient has disowned the image set.
    /// @param image id of the image set
    error ConsentNotPermittedDisowned(ImageId image);

    // ------------------------------------------------------------------ views

    /// @notice Whether a reader may use an image set, now.
    /// @param reader account that wants to use the images
    /// @param imageSet the image set
    /// @param use what the images are used for
    /// @return reason `Permitted`, or why not
    /// @return grantId the grant that permits it, or that is nearest to it; zero for the patient's own images
    function permitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (Reason reason, GrantId grantId);

    /// @notice Whether a reader may use a subject's records that are not images, now.
    /// @param reader account that wants to use the records
    /// @param subject whose records
    /// @param scope under which scope the subject grants their use; a grant for everything covers them too
    /// @param use what the records are used for
    /// @return reason `Permitted`, or why not
    /// @return grantId the grant that permits it, or that is nearest to it; zero for the subject's own records
    function permittedScope(address reader, address subject, Scope scope, Use calldata use)
        external
        view
        returns (Reason reason, GrantId grantId);

    /// @notice Reverts with the reason unless the reader may use the image set, now.
    /// @param reader account that wants to use the images
    /// @param imageSet the image set
    /// @param use what the images are used for
    /// @return image id of the image set
    /// @return grantId the grant that permits it; zero for the patient's own images
    function requirePermitted(address reader, ImageSet calldata imageSet, Use calldata use)
        external
        view
        returns (ImageId image, GrantId grantId);

    /// @notice As {requirePermitted}, for several image sets. What does not depend on the image set is asked once for
    /// all that follow one another and are of the same patient.
    /// @param reader account that wants to use the images
    /// @param imageSets the image sets
    /// @param use what the images are used for
    /// @return images ids of the image sets
    /// @return grantIds for each, the grant that permits it; zero for the patient's own images
    function requirePermittedBatch(address reader, ImageSet[] calldata imageSets, Use calldata use)
        external
        view
        returns (ImageId[] memory images, GrantId[] memory grantIds);
}
