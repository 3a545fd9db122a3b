// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DatasetId} from "../contracts/types/DatasetId.sol";
import {Duration256} from "../contracts/types/Duration.sol";
import {GrantId} from "../contracts/types/GrantId.sol";
import {ImageId, ImageSet} from "../contracts/types/ImageSet.sol";
import {Time} from "../contracts/types/Time.sol";
import {WorkId} from "../contracts/types/WorkId.sol";
import {IDatasetTreasury} from "./IDatasetTreasury.sol";

/// @title Contributions to data sets: image sets, and works on their images
/// @notice An image set enters with the patient's consent to the data set's institution for the declared use, once one of
/// its researchers has accepted it. A curator also adds what annotators and developers did. The data set registry has
/// this beside the data sets and their money.
interface IDatasetContributions is IDatasetTreasury {
    // ------------------------------------------------------------------ types

    /// @notice How much an image set weighs within its class.
    enum WeightRule {
        PerSet,
        PerInstance,
        Scored
    }

    /// @notice State of a contribution. A suspended one earns nothing; it counts again when consent is renewed in
    /// time, and is withdrawn for good after that.
    enum ContributionState {
        None,
        Counted,
        Suspended,
        Withdrawn
    }

    /// @notice A contribution.
    /// @param weight within its class; that of an image set is the same for data and custody
    /// @param contributedAt time of the contribution
    /// @param suspendedAt time since which consent was found missing, also once that suspension has become the end; zero for
    /// a contribution that counts or that was withdrawn by a call
    /// @param state whether it counts
    /// @param custody whether the custodian earns with it as well; false for a work
    struct Contribution {
        uint32 weight;
        Time contributedAt;
        Time suspendedAt;
        ContributionState state;
        bool custody;
    }

    /// @notice A curator's signature over typed data (EIP-712).
    /// @param curator who signed: a researcher of the data set's institution; a contract answers by ERC-1271
    /// @param deadline time after which the signature is void
    /// @param signature 65 bytes, or what the contract understands
    struct Acceptance {
        address curator;
        Time deadline;
        bytes signature;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The curator is not a researcher of the data set's institution.
    /// @param dataset id of the data set
    /// @param institution whose data set it is
    error DatasetNotCurator(DatasetId dataset, address institution);

    /// @notice The signature is not the curator's, for this chain, contract and message.
    /// @param curator who should have signed
    error DatasetBadSignature(address curator);

    /// @notice The deadline of the signature has passed.
    /// @param deadline time after which the signature is void
    error DatasetSignatureExpired(Time deadline);

    /// @notice This class does not accept this kind of contribution.
    /// @param class the class
    error DatasetClassInvalid(Class class);

    /// @notice The weight is zero, or not the one that the terms give the image set.
    /// @param rule the weight rule
    /// @param weight the weight
    error DatasetWeightInvalid(WeightRule rule, uint32 weight);

    /// @notice No grant of the patient covers the image set: its institution is the patient.
    /// @param patient whom the image set names
    error DatasetNotGranted(address patient);

    /// @notice The item was contributed before; a withdrawn one does not come back.
    /// @param dataset id of the data set
    /// @param item id of the image set, or digest of the work
    error DatasetAlreadyContributed(DatasetId dataset, bytes32 item);

    /// @notice There is no such contribution, or it was already withdrawn or suspended.
    /// @param dataset id of the data set
    /// @param item id of the image set, or digest of the work
    error DatasetNotContributed(DatasetId dataset, bytes32 item);

    /// @notice The contribution is not suspended, or was suspended for so long that it has ended.
    /// @param dataset id of the data set
    /// @param item id of the image set
    error DatasetNotSuspended(DatasetId dataset, bytes32 item);

    /// @notice Consent is in force, or cannot be judged while the institution is suspended.
    /// @param actor who called
    error DatasetStillConsented(address actor);

    // ------------------------------------------------------------------ events

    /// @notice An image set counts from now on, for its patient's data and its custodian's custody alike.
    /// @param dataset id of the data set
    /// @param image id of the image set
    /// @param patient who earns for the data
    /// @param custodian who earns for the custody
    /// @param weight its weight
    /// @param grantId the grant that permits the use
    /// @param curator who accepted it
    event DatasetImageContributed(
        DatasetId indexed dataset,
        ImageId indexed image,
        address indexed patient,
        address custodian,
        uint32 weight,
        GrantId grantId,
        address curator
    );

    /// @notice An image set no longer counts, neither for the patient nor for the custodian.
    /// @param dataset id of the data set
    /// @param image id of the image set
    /// @param actor who acted for the patient
    event DatasetImageWithdrawn(DatasetId indexed dataset, ImageId indexed image, address indexed actor);

    /// @notice An image set no longer counts for the custodian; it still counts for the patient.
    /// @param dataset id of the data set
    /// @param image id of the image set
    /// @param actor who acted for the custodian
    event DatasetCustodyWithdrawn(DatasetId indexed dataset, ImageId indexed image, address indexed actor);

    /// @notice An image set was suspended: it has no consent.
    /// @param dataset id of the data set
    /// @param image id of the image set
    /// @param actor who showed that
    /// @param endsAt when the contribution ends, unless it is resumed
    event DatasetImageSuspended(DatasetId indexed dataset, ImageId indexed image, address indexed actor, Time endsAt);

    /// @notice A suspended image set counts again: consent was renewed.
    /// @param dataset id of the data set
    /// @param image id of the image set
    /// @param actor who showed that
    /// @param grantId the grant that permits the use
    event DatasetImageResumed(DatasetId indexed dataset, ImageId indexed image, address indexed actor, GrantId grantId);

    /// @notice A work counts from now on.
    /// @param dataset id of the data set
    /// @param contributor who did it, and earns
    /// @param work digest of the annotation or code
    /// @param class the class
    /// @param weight its weight
    event DatasetWorkContributed(
        DatasetId indexed dataset, address indexed contributor, WorkId indexed work, Class class, uint32 weight
    );

    /// @notice A work no longer counts.
    /// @param dataset id of the data set
    /// @param contributor who did it
    /// @param work digest of the annotation or code
    /// @param class the class
    event DatasetWorkWithdrawn(
        DatasetId indexed dataset, address indexed contributor, WorkId indexed work, Class class
    );

    // ------------------------------------------------------------------ writes

    /// @notice Adds an image set. The patient earns for its data and the custodian for its custody, with the same weight.
    /// @dev The caller is a curator of the data set, and accepts the image set by calling.
    /// The custodian must not be suspended.
    /// @param dataset id of the data set
    /// @param imageSet the image set
    /// @param weight what it weighs: 1 `PerSet`, its instances, at most those of the terms, `PerInstance`, and what the
    /// curator thinks right where image sets are `Scored`
    function contribute(DatasetId dataset, ImageSet calldata imageSet, uint32 weight) external;

    /// @notice As {contribute}, with the signature of a curator; anyone may submit it.
    /// @dev Typed data: `Accept(bytes32 dataset,bytes32 image,uint32 weight,uint40 deadline)`. It is used once, because an
    /// image set enters a data set once.
    /// @param dataset id of the data set
    /// @param imageSet the image set
    /// @param weight what it weighs
    /// @param acceptance the curator's signature
    function contributeAccepted(
        DatasetId dataset,
        ImageSet calldata imageSet,
        uint32 weight,
        Acceptance calldata acceptance
    ) external;

    /// @notice Adds a work on the data set's images; the caller, a curator, weighs it.
    /// @param dataset id of the data set
    /// @param class `Annotation` by an accredited annotator, or `Development` by a developer
    /// @param contributor who did it, and earns
    /// @param work digest of the annotation or code
    /// @param weight its weight
    function contributeWork(DatasetId dataset, Class class, address contributor, WorkId work, uint32 weight) external;

    /// @notice Ends the contribution of an image set for good; what was earned by then stays due.
    /// @dev Who may act for the patient (delegate type "radledger.consent") ends it as a whole, so that custody never earns
    /// without data. Who may act for the custodian ("radledger.reward") ends its own part. Nothing that a token did makes
    /// it fail: of what is due, 2^96 - 1 base units are kept at most, so an account that holds more is claimed first.
    /// @param dataset id of the data set
    /// @param imageSet the image set
    function withdraw(DatasetId dataset, ImageSet calldata imageSet) external;

    /// @notice Ends the caller's own contribution of a work for good; what was earned by then stays due.
    /// @param dataset id of the data set
    /// @param class what the caller contributed
    /// @param work digest of the work
    function withdrawWork(DatasetId dataset, Class class, WorkId work) external;

    /// @notice Suspends an image set whose consent is missing: it no longer earns. What was earned by then stays due.
    /// @dev Anyone may call this. A suspension that lasts for {RENEWAL_PERIOD} ends the contribution, without a further
    /// call. While the institution is suspended nothing is: the consent may still hold.
    /// @param dataset id of the data set
    /// @param imageSet the image set
    function suspend(DatasetId dataset, ImageSet calldata imageSet) external;

    /// @notice Counts a suspended image set again, with the weight that was accepted; anyone may call, once the patient has
    /// consented again.
    /// @param dataset id of the data set
    /// @param imageSet the image set
    function resume(DatasetId dataset, ImageSet calldata imageSet) external;

    // ------------------------------------------------------------------ views

    /// @notice The contribution of an image set.
    /// @param dataset id of the data set
    /// @param image id of the image set
    /// @return contribution its fields; all zero when there is none
    function imageSetOf(DatasetId dataset, ImageId image) external view returns (Contribution memory contribution);

    /// @notice A contributor's contribution of a work.
    /// @param dataset id of the data set
    /// @param class the class
    /// @param contributor who did it
    /// @param work digest of the work
    /// @return contribution its fields; all zero when there is none
    function workOf(DatasetId dataset, Class class, address contributor, WorkId work)
        external
        view
        returns (Contribution memory contribution);

    /// @notice The suspension after which a contribution has ended.
    /// @return period its seconds
    function RENEWAL_PERIOD() external view returns (Duration256 period);
}
