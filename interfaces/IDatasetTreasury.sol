// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DatasetId} from "../contracts/types/DatasetId.sol";

/// @title The money of data sets: who pays in, what is due to whom, who collects it
/// @notice Every data set's money lies in a vault of its own. A payment is shared among the classes of contributors, and
/// within a class by weight; each contributor claims what is due. The data set registry has it beside the contributions.
/// @dev Limits: one payment is at most 2^96 - 1 base units, and so is what an account holds unclaimed when its
/// contributor leaves. That is 7.9e10 tokens of 18 decimals, and 7.9e-8 of one token of 36 decimals: {fund} refuses a
/// larger payment, which stays with the funder, so choose a token of 18 decimals or fewer. A contributor's weights within a
/// class add up to at most 2^32 - 1.
interface IDatasetTreasury {
    // ------------------------------------------------------------------ types

    /// @notice What a contributor adds to a data set.
    enum Class {
        Data,
        Custody,
        Annotation,
        Development
    }

    // ------------------------------------------------------------------ errors

    /// @notice No such data set.
    /// @param dataset id of the data set
    error DatasetUnknown(DatasetId dataset);

    /// @notice The shares do not add up to 10,000 basis points.
    /// @param sum what they add up to
    error DatasetSharesInvalid(uint256 sum);

    /// @notice There is no contract at the token's address.
    /// @param token the address
    error DatasetTokenInvalid(address token);

    /// @notice No class with a share has a contributor, so the payment would reach no account.
    /// @param dataset id of the data set
    error DatasetHasNoContributors(DatasetId dataset);

    /// @notice The weight of a class is not the one that the funder named.
    /// @param dataset id of the data set
    /// @param class the class
    /// @param named what the funder named
    /// @param weight its weight
    error DatasetWeightsChanged(DatasetId dataset, Class class, uint64 named, uint64 weight);

    /// @notice The vault received nothing, or more than can be shared out.
    /// @param received base units by which its balance grew
    error DatasetAmountInvalid(uint256 received);

    /// @notice Nothing is due.
    /// @param dataset id of the data set
    /// @param class what the beneficiary contributed
    /// @param beneficiary who contributed
    error DatasetNothingDue(DatasetId dataset, Class class, address beneficiary);

    /// @notice The beneficiary's identity changed hands; only its present owner may act for it.
    /// @param beneficiary who contributed
    error DatasetIdentityChangedHands(address beneficiary);

    /// @notice The caller may not act for the beneficiary.
    /// @param beneficiary who contributed
    /// @param actor who called
    error DatasetNotAuthorized(address beneficiary, address actor);

    /// @notice The contributor already chose this.
    /// @param free whether for free
    error DatasetFreeUnchanged(bool free);

    // ------------------------------------------------------------------ events

    /// @notice A payment was received.
    /// @param dataset id of the data set
    /// @param funder who paid
    /// @param received base units by which the vault's balance grew
    event DatasetFunded(DatasetId indexed dataset, address indexed funder, uint256 received);

    /// @notice A contributor's reward was paid.
    /// @param dataset id of the data set
    /// @param beneficiary who contributed
    /// @param class what it contributed
    /// @param to where the money went
    /// @param amount base units
    event DatasetRewardClaimed(
        DatasetId indexed dataset, address indexed beneficiary, Class class, address to, uint256 amount
    );

    /// @notice The beneficiary's identity changed hands; from now on only its present owner, or a delegate, uses its account.
    /// @param dataset id of the data set
    /// @param beneficiary who contributed
    /// @param class what it contributed
    event DatasetAccountClosed(DatasetId indexed dataset, address indexed beneficiary, Class class);

    /// @notice A contributor gives for free, or for reward again, from now on.
    /// @param dataset id of the data set
    /// @param beneficiary who contributes
    /// @param class what it contributes
    /// @param free whether for free
    event DatasetFreeSet(DatasetId indexed dataset, address indexed beneficiary, Class class, bool free);

    // ------------------------------------------------------------------ writes

    /// @notice Pays money in, to be shared among those who have a weight at this moment. It is refused if a weight that
    /// decides about it is not the one that the funder named, so that no contributor enters or leaves just before.
    /// @dev Divisions round down, so of each class's part a little stays in the vault for good: less than one base unit
    /// for each contributor, and one more for each 2^24 of the class's weight. Keep scores small.
    /// @param dataset id of the data set
    /// @param amount base units of its token, which the caller has allowed this contract to take
    /// @param weights weight of each class, as {weightOf} answers; those of classes without a share are not looked at
    function fund(DatasetId dataset, uint256 amount, uint64[4] calldata weights) external;

    /// @notice Pays the caller what is due.
    /// @param dataset id of the data set
    /// @param class what the caller contributed
    function claim(DatasetId dataset, Class class) external;

    /// @notice Pays what is due to a beneficiary for whom the caller may act (delegate type "radledger.reward").
    /// @dev Once the beneficiary's identity has changed hands, this closes {claim} and {IDatasetRegistry-withdrawWork} to
    /// the key that was lost, even if nothing is due. Until then they are open to it: asking about the identity each time
    /// would cost everyone 5,000 gas. Where the recovery and this call both succeed in one transaction (the forwarder's
    /// `executeBatch`, which does not ensure that), nothing is open.
    /// @param dataset id of the data set
    /// @param class what the beneficiary contributed
    /// @param beneficiary who contributed
    /// @param to where the money goes
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external;

    /// @notice Chooses to give for free, or for reward again, from now on.
    /// @dev The caller may act for the beneficiary, as for {claimFor}: a key that was lost chooses nothing, and what
    /// it chose before can be taken back.
    /// @param dataset id of the data set
    /// @param class what the beneficiary contributes
    /// @param beneficiary who contributes
    /// @param free whether for free
    function setFree(DatasetId dataset, Class class, address beneficiary, bool free) external;

    // ------------------------------------------------------------------ views

    /// @notice The weight of all who contribute to a class for reward.
    /// @param dataset id of the data set
    /// @param class the class
    /// @return weight its weight
    function weightOf(DatasetId dataset, Class class) external view returns (uint64 weight);

    /// @notice A contributor's account in one class.
    /// @param dataset id of the data set
    /// @param class the class
    /// @param beneficiary who contributes
    /// @return weight its weight
    /// @return due base units that were earned and not paid
    /// @return free whether it gives for free
    function contributorOf(DatasetId dataset, Class class, address beneficiary)
        external
        view
        returns (uint32 weight, uint256 due, bool free);

    /// @notice The token of the vault that is being created at this moment.
    /// @return token the token; zero at any other moment
    function tokenOfNewVault() external view returns (IERC20 token);
}
