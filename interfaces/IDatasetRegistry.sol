// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DatasetId} from "../contracts/lib/DatasetId.sol";
import {ImageSet} from "../contracts/lib/ImageSet.sol";
import {IConsentRegistry} from "./IConsentRegistry.sol";

/// @title Data sets: what they consist of, who contributed, and how the benefit is shared
/// @notice An institution creates a data set with terms that never change. Image sets enter it with the patient's
/// consent to that institution for the declared use; the patient and the custodian earn, whoever calls. Anyone funds
/// it, each contributor claims what is due, and every data set's money lies in a vault of its own.
/// @dev What this contract trusts, and with what:
/// - the consent registry: whether the institution may use an image set for the declared use;
/// - the participant registry: who is a researcher of which institution, who annotates, develops and keeps images;
/// - the identity registry: who may collect and choose for a contributor, and withdraw as the patient;
/// - the image registry: the number of instances of an image set;
/// - a custodian: that it states this number truly and anchors the same images once, not under several visits;
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771);
/// - the institution's researchers: the scores that they give where the terms say so, within one class;
/// - the token: nothing. A hostile one harms only the data sets whose terms name it.
interface IDatasetRegistry {
    /// @notice What somebody contributes.
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

    /// @notice What became of a contribution.
    enum ContributionState {
        None,
        Counted,
        Withdrawn
    }

    /// @notice The terms of a data set, fixed at its creation.
    /// @param token ERC-20 token in which it is funded
    /// @param shares part of each class in basis points, 10,000 in all; a class in which nobody has a weight when
    /// money comes leaves its part to the others
    /// @param rule how much an image set weighs
    /// @param use what the institution will do with the images
    /// @param protocol digest of the document that describes the data set
    struct Terms {
        address token;
        uint16[4] shares;
        WeightRule rule;
        IConsentRegistry.Use use;
        bytes32 protocol;
    }

    /// @notice A data set as the chain keeps it.
    /// @param institution whose data set it is, and to whom patients consent
    /// @param rule how much an image set weighs
    /// @param use what the institution does with the images
    /// @param shares part of each class in basis points
    /// @param vault where its money lies
    /// @param versions number of frozen versions
    struct Dataset {
        address institution;
        WeightRule rule;
        IConsentRegistry.Use use;
        uint16[4] shares;
        address vault;
        uint32 versions;
    }

    /// @notice A contribution.
    /// @param weight within its class
    /// @param contributedAt time of the contribution
    /// @param state whether it counts
    struct Contribution {
        uint32 weight;
        uint40 contributedAt;
        ContributionState state;
    }

    /// @notice The data set exists.
    error DatasetAlreadyCreated(DatasetId dataset);
    /// @notice No such data set.
    error DatasetUnknown(DatasetId dataset);
    /// @notice The shares are not 10,000 basis points in all.
    error DatasetSharesInvalid(uint256 sum);
    /// @notice The token is no contract.
    error DatasetTokenInvalid(address token);
    /// @notice The declared use is none, clinical care alone, or names a disease without being research on it.
    error DatasetUseInvalid(uint16 purposes, bytes13 disease);
    /// @notice The caller is no researcher of the data set's institution.
    error DatasetNotCurator(DatasetId dataset, address institution);
    /// @notice Image sets contribute data and custody; works contribute annotation and development.
    error DatasetClassInvalid(Class class);
    /// @notice The score is zero, or the terms say that image sets are not scored.
    error DatasetScoreInvalid(WeightRule rule, uint32 score);
    /// @notice The contribution was made before; a withdrawn one does not come back.
    error DatasetAlreadyContributed(DatasetId dataset, Class class, bytes32 item);
    /// @notice There is no such contribution that counts.
    error DatasetNotContributed(DatasetId dataset, Class class, bytes32 item);
    /// @notice While the consent holds, only who contributed withdraws, and the owner of the patient's identity.
    error DatasetStillConsented(address actor);
    /// @notice A version has a root.
    error DatasetVersionEmpty();
    /// @notice Nobody has a weight yet, so the money would reach nobody.
    error DatasetHasNoContributors(DatasetId dataset);
    /// @notice The vault received nothing, or more than can be shared out.
    error DatasetAmountInvalid(uint256 received);
    /// @notice Nothing is due.
    error DatasetNothingDue(DatasetId dataset, Class class, address beneficiary);
    /// @notice The beneficiary's identity changed hands; its owner collects.
    error DatasetIdentityChangedHands(address beneficiary);
    /// @notice The caller may not act for the beneficiary.
    error DatasetNotAuthorized(address beneficiary, address actor);
    /// @notice The choice stands already.
    error DatasetChoiceUnchanged(bool free);

    /// @notice A data set was created.
    event DatasetCreated(
        DatasetId indexed dataset, address indexed institution, address indexed curator, address vault, Terms terms
    );
    /// @notice A contribution counts from now on; `item` is an image id, or the digest of a work.
    event ContributionMade(
        DatasetId indexed dataset,
        address indexed beneficiary,
        bytes32 indexed item,
        Class class,
        uint32 weight,
        bytes32 grantId
    );
    /// @notice A contribution no longer counts.
    event ContributionWithdrawn(DatasetId indexed dataset, address indexed beneficiary, bytes32 item, Class class);
    /// @notice The actor, who owns the patient's identity, ended a contribution of the patient's image set.
    event PatientWithdrew(DatasetId indexed dataset, bytes32 indexed item, address indexed actor);
    /// @notice The actor showed that an image set has no consent any more.
    event ConsentFoundMissing(DatasetId indexed dataset, bytes32 indexed item, address indexed actor);
    /// @notice A contributor gives for free, or for reward again, from now on.
    event FreeContributionChosen(DatasetId indexed dataset, address indexed beneficiary, Class class, bool free);
    /// @notice A version was frozen; `root` is the root of the Merkle tree over its contributions.
    event VersionFrozen(DatasetId indexed dataset, uint32 indexed version, bytes32 root, uint32 contributions);
    /// @notice Money came in.
    event DatasetFunded(DatasetId indexed dataset, address indexed funder, uint256 received);
    /// @notice Money went out.
    event RewardClaimed(
        DatasetId indexed dataset, address indexed beneficiary, Class class, address to, uint256 amount
    );
    /// @notice The beneficiary's identity changed hands; from now on only who may act for it uses its account.
    event RewardAccountClosed(DatasetId indexed dataset, address indexed beneficiary, Class class);

    /// @notice Creates a data set of the caller's institution.
    /// @param terms its terms
    /// @param salt tells it from another one with the same terms
    /// @return dataset its id
    function create(Terms calldata terms, bytes32 salt) external returns (DatasetId dataset);

    /// @notice Adds an image set. The patient earns for its data, the custodian for its custody, unless it is suspended.
    /// @dev The patient, the custodian or a researcher of the data set's institution calls; where image sets are
    /// scored, only the last.
    /// @param dataset the data set
    /// @param class `Data` or `Custody`
    /// @param imageSet the image set
    /// @param score its weight where the terms say that image sets are scored, else zero
    function contribute(DatasetId dataset, Class class, ImageSet calldata imageSet, uint32 score) external;

    /// @notice Adds a work on the data set's images; a researcher of its institution scores it.
    /// @param dataset the data set
    /// @param class `Annotation` by an accredited annotator, or `Development` by a developer
    /// @param contributor who did it, and earns
    /// @param work digest of the annotation or code
    /// @param score its weight
    function contributeWork(DatasetId dataset, Class class, address contributor, bytes32 work, uint32 score) external;

    /// @notice Ends the caller's own contribution; what was earned by then stays due.
    /// @param dataset the data set
    /// @param class what the caller contributed
    /// @param item image id, or digest of a work
    function withdraw(DatasetId dataset, Class class, bytes32 item) external;

    /// @notice Ends a contribution of an image set whose consent is gone; what was earned by then stays due.
    /// @dev Anyone may say so. The owner of the patient's identity may before, which ends the custodian's part as well.
    /// While the institution is suspended, strangers withdraw nothing: the consent may still hold.
    /// @param dataset the data set
    /// @param class `Data` or `Custody`
    /// @param imageSet the image set
    function withdrawUnconsented(DatasetId dataset, Class class, ImageSet calldata imageSet) external;

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

    /// @notice Pays money in, to be shared among those who have a weight at this moment.
    /// @dev Divisions round down, so of each class's part a little stays in the vault for good: less than one base unit
    /// for each contributor, and one more for each 2^24 of the class's weight. Scores had better be small numbers.
    /// @param dataset the data set
    /// @param amount base units of its token, which the caller has allowed this contract to take
    function fund(DatasetId dataset, uint256 amount) external;

    /// @notice Pays the caller what is due.
    /// @param dataset the data set
    /// @param class what the caller contributed
    function claim(DatasetId dataset, Class class) external;

    /// @notice Pays what is due to a beneficiary for whom the caller may act (delegate type "radledger.reward").
    /// @dev Once the beneficiary's identity has changed hands, this closes {claim} and {withdraw} to the key that was
    /// lost, even if nothing is due. Until then they are open to it: asking about the identity each time would cost
    /// everyone 5,000 gas. In one transaction with the recovery (the forwarder's `executeBatch`), nothing is open.
    /// @param dataset the data set
    /// @param class what the beneficiary contributed
    /// @param beneficiary who contributed
    /// @param to where the money goes
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external;

    /// @notice What the chain keeps of a data set.
    function datasetOf(DatasetId dataset) external view returns (Dataset memory);

    /// @notice The id that a data set has or would have.
    function idOf(address institution, Terms calldata terms, bytes32 salt) external pure returns (DatasetId);

    /// @notice A beneficiary's contribution of an item; all zero when there is none.
    function contributionOf(DatasetId dataset, Class class, bytes32 item, address beneficiary)
        external
        view
        returns (Contribution memory);

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
