// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IDatasetTreasury} from "../../interfaces/IDatasetTreasury.sol";
import {IDatasetVault} from "../../interfaces/IDatasetVault.sol";
import {IIdentityRegistry} from "../../interfaces/IIdentityRegistry.sol";
import {DatasetId} from "../types/DatasetId.sol";
import {ClassAccounts} from "./ClassAccounts.sol";
import {DatasetVault} from "./DatasetVault.sol";
import {ContributorAccount, RewardAccounts} from "./RewardAccounts.sol";

/// @title DatasetTreasury
/// @notice The money half of the data set registry: vaults, shares and what is due to whom. See {IDatasetTreasury}.
abstract contract DatasetTreasury is IDatasetTreasury, ERC2771Context, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes32 private constant REWARD_DELEGATE = "radledger.reward";
    uint256 internal constant BASIS_POINTS = 10_000;

    IIdentityRegistry internal immutable _identities;
    bytes32 private immutable _vaultCodeHash;

    mapping(DatasetId dataset => ClassAccounts) internal _accounts;
    IERC20 private _tokenOfNewVault;

    // ------------------------------------------------------------------ construction

    constructor(IIdentityRegistry identities) {
        _identities = identities;
        _vaultCodeHash = keccak256(type(DatasetVault).creationCode);
    }

    // ------------------------------------------------------------------ writes

    /// @inheritdoc IDatasetTreasury
    /// @dev The guard keeps a token that calls back from having one payment counted twice.
    function fund(DatasetId dataset, uint256 amount, uint64[4] calldata weights) external nonReentrant {
        address vault = _existingVault(dataset);
        IERC20 token = IDatasetVault(vault).token();
        address sender = _msgSender();
        uint256 before = token.balanceOf(vault);
        token.safeTransferFrom(sender, vault, amount);
        uint256 received;
        // A token may keep a fee: what counts is what arrived. A balance that shrank wraps to more than can be shared.
        unchecked {
            received = token.balanceOf(vault) - before;
        }
        if (received == 0 || received > RewardAccounts.MOST_UNITS) revert DatasetAmountInvalid(received);
        _share(dataset, received, weights);
        emit DatasetFunded(dataset, sender, received);
    }

    /// @inheritdoc IDatasetTreasury
    function claim(DatasetId dataset, Class class) external {
        address sender = _msgSender();
        ClassAccounts storage accounts = _accounts[dataset];
        ContributorAccount contributor = accounts.contributors[uint256(class)][sender];
        if (contributor.isClosed()) revert DatasetIdentityChangedHands(sender);
        _pay(accounts, dataset, class, contributor, sender, sender);
    }

    /// @inheritdoc IDatasetTreasury
    function claimFor(DatasetId dataset, Class class, address beneficiary, address to) external {
        _requireMayAct(beneficiary, _msgSender());
        ClassAccounts storage accounts = _accounts[dataset];
        ContributorAccount contributor = accounts.contributors[uint256(class)][beneficiary];
        if (_identities.identityOwner(beneficiary) != beneficiary && !contributor.isClosed()) {
            _existingVault(dataset);
            contributor = contributor.closed();
            accounts.contributors[uint256(class)][beneficiary] = contributor;
            emit DatasetAccountClosed(dataset, beneficiary, class);
            // Its owner must be able to close the account even if the lost key has just emptied it.
            if (contributor.due(accounts.perWeight(class)) == 0) return;
        }
        _pay(accounts, dataset, class, contributor, beneficiary, to);
    }

    /// @inheritdoc IDatasetTreasury
    function setFree(DatasetId dataset, Class class, address beneficiary, bool free) external {
        _existingVault(dataset);
        _requireMayAct(beneficiary, _msgSender());
        ClassAccounts storage accounts = _accounts[dataset];
        ContributorAccount contributor = accounts.contributors[uint256(class)][beneficiary];
        if (contributor.isFree() == free) revert DatasetFreeUnchanged(free);
        accounts.contributors[uint256(class)][beneficiary] = contributor.toggleFree(accounts.perWeight(class));
        if (free) accounts.shrink(class, contributor.weight());
        else accounts.grow(class, contributor.weight());
        emit DatasetFreeSet(dataset, beneficiary, class, free);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDatasetTreasury
    function weightOf(DatasetId dataset, Class class) external view returns (uint64) {
        return _accounts[dataset].weight(class);
    }

    /// @inheritdoc IDatasetTreasury
    function contributorOf(DatasetId dataset, Class class, address beneficiary)
        external
        view
        returns (uint32 weight, uint256 due, bool free)
    {
        ClassAccounts storage accounts = _accounts[dataset];
        ContributorAccount contributor = accounts.contributors[uint256(class)][beneficiary];
        return (contributor.weight(), contributor.due(accounts.perWeight(class)), contributor.isFree());
    }

    /// @inheritdoc IDatasetTreasury
    function tokenOfNewVault() external view returns (IERC20) {
        return _tokenOfNewVault;
    }

    // ------------------------------------------------------------------ internal

    /// @dev Keeps the shares of a new data set and makes its vault.
    function _open(DatasetId dataset, address token, uint16[4] calldata shares) internal returns (address vault) {
        uint256 sum = uint256(shares[0]) + shares[1] + shares[2] + shares[3];
        if (sum != BASIS_POINTS) revert DatasetSharesInvalid(sum);
        if (token.code.length == 0) revert DatasetTokenInvalid(token);
        _accounts[dataset].open(shares);
        _tokenOfNewVault = IERC20(token);
        vault = address(new DatasetVault{salt: DatasetId.unwrap(dataset)}());
        delete _tokenOfNewVault;
    }

    function _isClosed(DatasetId dataset, Class class, address beneficiary) internal view returns (bool) {
        return _accounts[dataset].contributors[uint256(class)][beneficiary].isClosed();
    }

    function _mayCollect(address beneficiary, address actor) internal view returns (bool) {
        return _identities.mayAct(beneficiary, actor, REWARD_DELEGATE);
    }

    function _sharesOf(DatasetId dataset) internal view returns (uint16[4] memory) {
        return _accounts[dataset].shares();
    }

    /// @dev CREATE2 (EIP-1014): computing the address is cheaper than keeping it.
    function _vaultOf(DatasetId dataset) internal view returns (address) {
        return Create2.computeAddress(DatasetId.unwrap(dataset), _vaultCodeHash);
    }

    /// @dev A class without any weight leaves its part to the others; what rounding leaves stays in the vault.
    function _share(DatasetId dataset, uint256 received, uint64[4] calldata weights) private {
        ClassAccounts storage accounts = _accounts[dataset];
        uint16[4] memory shares = accounts.shares();
        uint256 sum = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] == 0) continue;
            uint64 weight = accounts.weight(Class(i));
            // Only now: a token that calls back changes nothing unseen either.
            if (weight != weights[i]) revert DatasetWeightsChanged(dataset, Class(i), weights[i], weight);
            if (weight == 0) shares[i] = 0;
            sum += shares[i];
        }
        if (sum == 0) revert DatasetHasNoContributors(dataset);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i] == 0) continue;
            uint256 part = received * shares[i] / sum;
            accounts.setPerWeight(Class(i), RewardAccounts.afterShare(accounts.perWeight(Class(i)), part, weights[i]));
        }
    }

    /// @dev The account is settled before the token is called.
    function _pay(
        ClassAccounts storage accounts,
        DatasetId dataset,
        Class class,
        ContributorAccount contributor,
        address beneficiary,
        address to
    ) private {
        uint256 perWeight = accounts.perWeight(class);
        uint256 amount = contributor.due(perWeight);
        if (amount == 0) revert DatasetNothingDue(dataset, class, beneficiary);
        accounts.contributors[uint256(class)][beneficiary] = contributor.paid(perWeight);
        emit DatasetRewardClaimed(dataset, beneficiary, class, to, amount);
        IDatasetVault(_vaultOf(dataset)).pay(to, amount);
    }

    function _existingVault(DatasetId dataset) private view returns (address vault) {
        vault = _vaultOf(dataset);
        if (vault.code.length == 0) revert DatasetUnknown(dataset);
    }

    function _requireMayAct(address beneficiary, address actor) private view {
        if (!_mayCollect(beneficiary, actor)) revert DatasetNotAuthorized(beneficiary, actor);
    }
}
