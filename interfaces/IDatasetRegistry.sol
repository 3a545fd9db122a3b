// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DatasetId} from "../contracts/types/DatasetId.sol";
import {Disease} from "../contracts/types/Disease.sol";
import {GrantId} from "../contracts/types/GrantId.sol";
import {ImageId, ImageSet} from "../contracts/types/ImageSet.sol";
import {Purposes} from "../contracts/types/Purposes.sol";
import {Time} from "../contracts/types/Time.sol";
import {IConsentRegistry} from "./IConsentRegistry.sol";

/// @title Data sets: what they consist of, who contributed, and how the benefit is shared
/// @notice An institution creates a data set with terms that never change. Image sets enter it with the patient's
/// consent to that institution for the declared use, once one of its researchers has accepted them; the patient and the
/// custodian earn, whoever calls. Anyone funds it, each contributor claims what is due, and every data set's money lies
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
/// @dev Limits: one payment is at most 2^96 - 1 base units, and so is what an account holds unclaimed when its
/// contributor leaves. That is 7.9e10 tokens of 18 decimals, and 7.9e-8 of one token of 36 decimals: {fund} refuses a
/// larger payment, which stays with the funder, so choose a token of 18 decimals or fewer. A contributor's weights within a
/// class add up to at most 2^32 - 1.
interface IDatasetRegistry {
    /// @notice What a contributor adds to a data set.
    enum Class {
        Data,
        Custody,
        Annotation,
        Development
    }

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
        IConsentRegistry.Use use;
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
        IConsentRegistry.Use use;
        uint16[4] shares;
        address vault;
        uint32 versions;
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
        uint40 contributedAt;
        uint40 suspendedAt;
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

    /// @notice The data set already exists.
    error DatasetAlreadyCreated(DatasetId dataset);
    /// @notice No such data set.
    error DatasetUnknown(DatasetId dataset);
    /// @notice The shares do not add up to 10,000 basis points.
    error DatasetSharesInvalid(uint256 sum);
    /// @notice There is no contract at the token's address.
    error DatasetTokenInvalid(address token);
    /// @notice No use is declared, or it is clinical care alone, or it names a disease without being research on it.
    error DatasetUseInvalid(Purposes purposes, Disease disease);
    /// @notice The limit of instances is missing, or is given although the weight rule does not count instances.
    error DatasetInstancesInvalid(WeightRule rule, uint32 mostInstances);
    /// @notice The curator is not a researcher of the data set's institution.
    error DatasetNotCurator(DatasetId dataset, address institution);
    /// @notice The signature is not the curator's, for this chain, contract and message.
    error DatasetBadSignature(address curator);
    /// @notice The deadline of the signature has passed.
    error DatasetSignatureExpired(Time deadline);
    /// @notice This class does not accept this kind of contribution.
    error DatasetClassInvalid(Class class);
    /// @notice The weight is zero, or not the one that the terms give the image set.
    error DatasetWeightInvalid(WeightRule rule, uint32 weight);
    /// @notice No grant of the patient covers the image set: its institution is the patient.
    error DatasetNotGranted(address patient);
    /// @notice The item was contributed before; a withdrawn one does not come back.
    error DatasetAlreadyContributed(DatasetId dataset, bytes32 item);
    /// @notice There is no such contribution, or it was already withdrawn or suspended.
    error DatasetNotContributed(DatasetId dataset, bytes32 item);
    /// @notice The contribution is not suspended, or was suspended for so long that it has ended.
    error DatasetNotSuspended(DatasetId dataset, bytes32 item);
    /// @notice Consent is in force, or cannot be judged while the institution is suspended.
    error DatasetStillConsented(address actor);
    /// @notice The version has no root or no contributions.
    error DatasetVersionEmpty();
    /// @notice No class with a share has a contributor, so the payment would reach no account.
    error DatasetHasNoContributors(DatasetId dataset);
    /// @notice The weight of a class is not the one that the funder named.
    error DatasetWeightsChanged(DatasetId dataset, Class class, uint64 named, uint64 weight);
    /// @notice The vault received nothing, or more than can be shared out.
    error DatasetAmountInvalid(uint256 received);
    /// @notice Nothing is due.
    error DatasetNothingDue(DatasetId dataset, Class class, address beneficiary);
    /// @notice The beneficiary's identity changed hands; only its present owner may act for it.
    error DatasetIdentityChangedHands(address beneficiary);
    /// @notice The caller may not act for the beneficiary.
    error DatasetNotAuthorized(address beneficiary, address actor);
    /// @notice The contributor already chose this.
    error DatasetFreeUnchanged(bool free);

    /// @notice A data set was created.
    event DatasetCreated(
        DatasetId indexed dataset, address indexed institution, address indexed curator, address vault, Terms terms
    );
    /// @notice An image set counts from now on, for its patient's data and its custodian's custody alike.
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
    event DatasetImageWithdrawn(DatasetId indexed dataset, ImageId indexed image, address indexed actor);
    /// @notice An image set no longer counts for the custodian; it still counts for the patient.
    event DatasetCustodyWithdrawn(DatasetId indexed dataset, ImageId indexed image, address indexed actor);
    /// @notice The actor showed that an image set has no consent; it is withdrawn at `endsAt`, unless it is resumed.
    event DatasetImageSuspended(DatasetId indexed dataset, ImageId indexed image, address indexed actor, uint40 endsAt);
    /// @notice The actor showed that consent was renewed; the image set counts again.
    event DatasetImageResumed(DatasetId indexed dataset, ImageId indexed image, address indexed actor, GrantId grantId);
    /// @notice A work counts from now on.
    event DatasetWorkContributed(
        DatasetId indexed dataset, address indexed contributor, bytes32 indexed work, Class class, uint32 weight
    );
    /// @notice A work no longer counts.
    event DatasetWorkWithdrawn(
        DatasetId indexed dataset, address indexed contributor, bytes32 indexed work, Class class
    );
    /// @notice A contributor gives for free, or for reward again, from now on.
    event DatasetFreeSet(DatasetId indexed dataset, address indexed beneficiary, Class class, bool free);
    /// @notice A version was frozen; `root` is the root of the Merkle tree over its contributions.
    event DatasetVersionFrozen(DatasetId indexed dataset, uint32 indexed version, bytes32 root, uint32 contributions);
    /// @notice A payment was received.
    event DatasetFunded(DatasetId indexed dataset, address indexed funder, uint256 received);
    /// @notice A contributor's reward was paid.
    event DatasetRewardClaimed(
        DatasetId indexed dataset, address indexed beneficiary, Class class, address to, uint256 amount
    );
    /// @notice The beneficiary's identity changed hands; from now on only who may act for it uses its account.
    event DatasetAccountClosed(DatasetId indexed dataset, address indexed beneficiary, Class class);

    /// @notice Creates a data set of the caller's institution.
    /// @param terms its terms
    /// @param salt distinguishes it from another one with the same terms
    /// @return dataset its id
    function create(Terms calldata terms, bytes32 salt) external returns (DatasetId dataset);

    /// @notice Adds an image set. The patient earns for its data and the custodian for its custody, with the same weight.
    /// @dev The caller is a curator of the data set, and accepts the image set by calling.
    /// The custodian must not be suspended.
    /// @param dataset the data set
    /// @param imageSet the image set
    /// @param weight what it weighs: 1 `PerSet`, its instances, at most those of the terms, `PerInstance`, and what the
    /// curator thinks right where image sets are `Scored`
    function contribute(DatasetId dataset, ImageSet calldata imageSet, uint32 weight) external;

    /// @notice As {contribute}, with the signature of a curator; anyone may submit it.
    /// @dev Typed data: `Accept(bytes32 dataset,bytes32 image,uint32 weight,uint40 deadline)`. It is used once, because an
    /// image set enters a data set once.
    function contributeAccepted(
        DatasetId dataset,
        ImageSet calldata imageSet,
        uint32 weight,
        Acceptance calldata acceptance
    ) external;

    /// @notice Adds a work on the data set's images; the caller, a curator, weighs it.
    /// @param dataset the data set
    /// @param class `Annotation` by an accredited annotator, or `Development` by a developer
    /// @param contributor who did it, and earns
    /// @param work digest of the annotation or code
    /// @param weight its weight
    function contributeWork(DatasetId dataset, Class class, address contributor, bytes32 work, uint32 weight) external;

    /// @notice Ends the contribution of an image set for good; what was earned by then stays due.
    /// @dev Who may act for the patient (delegate type "radledger.consent") ends it as a whole, so that custody never earns
    /// without data. Who may act for the custodian ("radledger.reward") ends its own part. Nothing that a token did makes
    /// it fail: of what is due, 2^96 - 1 base units are kept at most, so an account that holds more is claimed first.
    /// @param dataset the data set
    /// @param imageSet the image set
    function withdraw(DatasetId dataset, ImageSet calldata imageSet) external;

    /// @notice Ends the caller's own contribution of a work for good; what was earned by then stays due.
    /// @param dataset the data set
    /// @param class what the caller contributed
    /// @param work digest of the work
    function withdrawWork(DatasetId dataset, Class class, bytes32 work) external;

    /// @notice Suspends an image set whose consent is missing: it no longer earns. What was earned by then stays due.
    /// @dev Anyone may call this. A suspension that lasts for {RENEWAL_PERIOD} ends the contribution, without a further
    /// call. While the institution is suspended nothing is: the consent may still hold.
    /// @param dataset the data set
    /// @param imageSet the image set
    function suspend(DatasetId dataset, ImageSet calldata imageSet) external;

    /// @notice Counts a suspended image set again, with the weight that was accepted; anyone may call, once the patient has
    /// consented again.
    /// @param dataset the data set
    /// @param imageSet the image set
    function resume(DatasetId dataset, ImageSet calldata imageSet) external;

    /// @notice Chooses to give for free, or for reward again, from now on.
    /// @dev The caller may act for the beneficiary, as for {claimFor}: a key that was lost chooses nothing, and what
    /// it chose before can be taken back.
    /// @param dataset the data set
    /// @param class what the beneficiary contributes
    /// @param beneficiary who contributes
    /// @param free whether for free
    function setFree(DatasetId dataset, Class class, address beneficiary, bool free) external;

    /// @notice Freezes a version.
    /// @param dataset the data set
    /// @param root root of the Merkle tree over its contributions
    /// @param contributions their number
    /// @return version its number, from 1
    function freeze(DatasetId dataset, bytes32 root, uint32 contributions) external returns (uint32 version);

    /// @notice Pays money in, to be shared among those who have a weight at this moment. It is refused if a weight that
    /// decides about it is not the one that the funder named, so that no contributor enters or leaves just before.
    /// @dev Divisions round down, so of each class's part a little stays in the vault for good: less than one base unit
    /// for each contributor, and one more for each 2^24 of the class's weight. Keep scores small.
    /// @param dataset the data set
    /// @param amount base units of its token, which the caller has allowed this contract to take
    /// @param weights weight of each class, as {weightOf} answers; those of classes without a share are not looked at
    function fund(DatasetId dataset, uint256 amount, uint64[4] calldata weights) external;

    /// @notice Pays the caller what is due.
    /// @param dataset the data set
    /// @param class what the caller contributed
    function claim(DatasetId dataset, Class class) external;

    /// @notice Pays what is due to a beneficiary for whom the caller may act (delegate type "radledger.reward").
    /// @dev Once the beneficiary's identity has changed hands, this closes {claim} and {withdrawWork} to the key that was
    /// lost, even if nothing is due. Until then they are open to it: asking about the identity each time would cost
    /// everyone 5,000 gas. Where the recovery and this call both succeed in one transaction (the forwarder's
    /// `executeBatch`, which does not ensure that), nothing is open.
    /// @param dataset the data set
    /// @param class what the beneficiary contributed
    /// @param beneficiary who contributed
    /// @param to where the money goes
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external;

    /// @notice What the chain keeps of a data set.
    function datasetOf(DatasetId dataset) external view returns (Dataset memory);

    /// @notice The id that a data set has or would have.
    function idOf(address institution, Terms calldata terms, bytes32 salt) external pure returns (DatasetId);

    /// @notice The contribution of an image set; all zero when there is none.
    function imageSetOf(DatasetId dataset, ImageId image) external view returns (Contribution memory);

    /// @notice A contributor's contribution of a work; all zero when there is none.
    function workOf(DatasetId dataset, Class class, address contributor, bytes32 work)
        external
        view
        returns (Contribution memory);

    /// @notice Seconds of suspension after which a contribution has ended.
    function RENEWAL_PERIOD() external view returns (uint256);

    /// @notice The weight of all who contribute to a class for reward.
    function weightOf(DatasetId dataset, Class class) external view returns (uint64);

    /// @notice A contributor's weight, what is due, and whether it gives for free.
    function contributorOf(DatasetId dataset, Class class, address beneficiary)
        external
        view
        returns (uint32 weight, uint256 due, bool free);

    /// @notice The token of the vault that is being created at this moment; zero at any other.
    function tokenOfNewVault() external view returns (IERC20);

    /// @notice Root of a frozen version; zero when there is none.
    function versionOf(DatasetId dataset, uint32 version) external view returns (bytes32 root);
}
