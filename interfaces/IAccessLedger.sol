// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Day} from "../contracts/types/Day.sol";
import {DemandId} from "../contracts/types/DemandId.sol";
import {LogOrigin} from "../contracts/types/LogOrigin.sol";
import {ReceiptDigest} from "../contracts/types/ReceiptDigest.sol";
import {Time} from "../contracts/types/Time.sol";

/// @title Receipts of reading: that none was left out
/// @notice A reader of images signs a receipt, which stays with the institution that released them. The institution's
/// key service acknowledges the receipt to the reader, and anchors the root over all receipts of a day. A holder of an
/// acknowledgement can demand that the institution show the receipt under that root. It answers with a proof, or is
/// seen not to have answered. Checkpoints of the transparency log that has all receipts in one order are anchored
/// beside these roots, so that everyone sees the same log.
/// @dev What an observer of the chain learns: which keys record for an institution; on which days it recorded
/// something, but not how much, since it can anchor a random root for a day without receipts; of a receipt that was
/// recorded by itself, when, and if its signature was checked, who signed it; of a demand, the day on which the receipt
/// was acknowledged; of an answer, by the length of the proof, roughly how many receipts that day had; and of a log, how
/// many receipts it had at which time. What was read, whose it was and under which grant is never shown: a receipt appears only as its digest, which its nonce salts. A
/// holder of a receipt recognises its digest.
/// @dev What this contract trusts, and with what:
/// - the participant registry: who may appoint recorders for which institution. It is asked then alone: neither a
///   suspension nor a member that leaves undoes what was acknowledged, or keeps it from being shown;
/// - a recorder: the roots of its institution, each until the day is closed, the checkpoints of its logs, and
///   acknowledgements, with which it binds its institution. It can do nothing else. That a checkpoint continues the one
///   before is not checked here; who reads the log's files sees whether it does;
/// - the consent registry: nothing; readers sign receipts for its address (EIP-712);
/// - the forwarder: that a forwarded call was signed by the sender whom it appends (ERC-2771).
/// A receipt that was never acknowledged can be left out unseen: a reader asks for the acknowledgement when it reads.
interface IAccessLedger {
    // ------------------------------------------------------------------ types

    /// @notice What is known of the root of a day. A pending one can still be anchored, a missing one no longer; an
    /// overwritten one has made place for that of a later day.
    enum RootState {
        Pending,
        Anchored,
        Missing,
        Overwritten
    }

    /// @notice What a recorder signs for the holder of a receipt: that the receipt is under the root of that day.
    /// @param receipt digest of the receipt
    /// @param institution institution that released what was read
    /// @param day day of the release
    struct Acknowledgement {
        ReceiptDigest receipt;
        address institution;
        Day day;
    }

    /// @notice What the chain keeps of a demand.
    /// @param due time until which it can be answered; zero when nothing was demanded
    /// @param answeredAt time of the answer; zero when there is none
    struct Demand {
        Time due;
        Time answeredAt;
    }

    // ------------------------------------------------------------------ errors

    /// @notice The zero address cannot be a recorder.
    error AccessRecorderMissing();

    /// @notice `recorder` is or was a recorder of `institution`; appoint another key.
    /// @param institution the institution
    /// @param recorder the key
    error AccessRecorderAlreadyAppointed(address institution, address recorder);

    /// @notice `recorder` is not a recorder of `institution`, or was dismissed.
    /// @param institution the institution
    /// @param recorder the key
    error AccessRecorderNotAppointed(address institution, address recorder);

    /// @notice `signer` did not sign this receipt.
    /// @param signer who should have signed it
    error AccessBadSignature(address signer);

    /// @notice The root of the day is empty.
    error AccessRootMissing();

    /// @notice The root of `day` cannot be anchored on `today`: that day has not begun, or ended more than two days ago.
    /// @param day the day
    /// @param today the day of the block
    error AccessDayNotOpen(Day day, Day today);

    /// @notice The log `log` has `anchored` entries on the chain already, and `size` are not more.
    /// @param log SHA-256 of the log's origin
    /// @param size how many entries it is said to have
    /// @param anchored how many it has by its last checkpoint here
    error AccessLogNotGrown(LogOrigin log, uint40 size, uint40 anchored);

    /// @notice A receipt of `day` cannot be demanded on `today`: that day is not closed yet, or was more than eight weeks
    /// ago.
    /// @param day the day of the receipt
    /// @param today the day of the block
    error AccessNotDemandable(Day day, Day today);

    /// @notice The acknowledgement for `day` is not signed by a recorder of `institution`, but by `signer`.
    /// @param institution the institution
    /// @param day the day of the receipt
    /// @param signer who signed it; zero where the signature is not valid
    error AccessNotAcknowledged(address institution, Day day, address signer);

    /// @notice The receipt has already been demanded by this acknowledgement.
    /// @param demand id of the demand
    error AccessAlreadyDemanded(DemandId demand);

    /// @notice The receipt has not been demanded by this acknowledgement.
    /// @param demand id of the demand
    error AccessNotDemanded(DemandId demand);

    /// @notice The demand has already been answered.
    /// @param demand id of the demand
    error AccessAlreadyAnswered(DemandId demand);

    /// @notice The time to answer the demand ended at `due`.
    /// @param demand id of the demand
    /// @param due time until which it could be answered
    error AccessAnswerLate(DemandId demand, Time due);

    /// @notice The proof does not lead to the root that `institution` anchored for `day`.
    /// @param institution the institution
    /// @param day the day of the receipt
    /// @param root the root to which it leads
    error AccessProofInvalid(address institution, Day day, bytes32 root);

    // ------------------------------------------------------------------ events

    /// @notice A key records receipts for an institution from now on.
    /// @param institution the institution
    /// @param recorder the key
    event AccessRecorderAppointed(address indexed institution, address indexed recorder);

    /// @notice A key no longer records receipts for an institution.
    /// @param institution the institution
    /// @param recorder the key
    /// @param lastDay last day for which its acknowledgements count
    event AccessRecorderDismissed(address indexed institution, address indexed recorder, Day lastDay);

    /// @notice A receipt was recorded by itself.
    /// @param receipt digest of the receipt
    /// @param institution institution that released what was read
    /// @param signer who signed it, where that was checked; else zero
    event AccessReceiptRecorded(ReceiptDigest indexed receipt, address indexed institution, address indexed signer);

    /// @notice The root of a day's receipts was anchored, or replaced.
    /// @param institution the institution
    /// @param day the day
    /// @param root root of the Merkle tree over the digests of the receipts; the last one counts
    event AccessDayAnchored(address indexed institution, Day indexed day, bytes32 root);

    /// @notice A checkpoint of a transparency log was anchored: until this block, the log had at least these entries.
    /// @param institution the institution whose log it is
    /// @param log SHA-256 of the log's origin
    /// @param size how many entries the log has
    /// @param root root of their tree (RFC 6962, SHA-256)
    event AccessLogAnchored(address indexed institution, LogOrigin indexed log, uint40 size, bytes32 root);

    /// @notice A receipt was demanded.
    /// @param demand id of the demand
    /// @param receipt digest of the receipt
    /// @param institution institution that acknowledged it
    /// @param day day of the receipt
    /// @param due time until which it can be answered
    event AccessDemanded(
        DemandId indexed demand, ReceiptDigest indexed receipt, address indexed institution, Day day, Time due
    );

    /// @notice A demand was answered: the receipt is under the root of its day.
    /// @param demand id of the demand
    event AccessAnswered(DemandId indexed demand);

    // ------------------------------------------------------------------ writes, by the institution

    /// @notice Appoints a key of the caller's institution as a recorder. The caller is a custodian.
    /// @dev A recorder needs no accreditation and no Ether. One that was dismissed cannot be appointed again, so that its
    /// earlier acknowledgements keep their meaning.
    /// @param recorder address of the key; a contract cannot sign acknowledgements
    function appoint(address recorder) external;

    /// @notice Dismisses a recorder of the caller's institution. The caller is a custodian.
    /// @dev What it acknowledged for days until tomorrow counts, so that none that was just given becomes void.
    /// @param recorder address of the key
    function dismiss(address recorder) external;

    // ------------------------------------------------------------------ writes, by a recorder

    /// @notice Records one receipt by itself. Nothing is stored.
    /// @param institution institution that released what was read; the caller is its recorder
    /// @param receipt digest of the receipt
    function record(address institution, ReceiptDigest receipt) external;

    /// @notice Records one receipt by itself, its signature checked. Nothing is stored.
    /// @param institution institution that released what was read; the caller is its recorder
    /// @param content hash of the receipt as a struct (EIP-712), from which its digest is computed
    /// @param signer who signed it: the reader, or the owner of the reader's identity; a contract answers by ERC-1271
    /// @param signature 65 bytes, or what the contract understands
    function recordSigned(address institution, bytes32 content, address signer, bytes calldata signature) external;

    /// @notice Anchors the root over all receipts of a day. It can be replaced until the day is closed, two days after it.
    /// @dev The tree is OpenZeppelin's StandardMerkleTree over leaves of the type `(bytes32)`: the digests of the receipts.
    /// @param institution institution that released what was read; the caller is its recorder
    /// @param day the day
    /// @param root root of the tree
    function anchorDay(address institution, Day day, bytes32 root) external;

    /// @notice Anchors a checkpoint of a transparency log of receipts. The log only grows: no size is anchored twice.
    /// @dev An institution may have several logs, each of an origin of its own; the events show all of them.
    /// @param institution institution whose log it is; the caller is its recorder
    /// @param log SHA-256 of the log's origin
    /// @param size how many entries the log has, more than were anchored before
    /// @param root root of their tree (RFC 6962, SHA-256)
    function anchorLog(address institution, LogOrigin log, uint40 size, bytes32 root) external;

    // ------------------------------------------------------------------ writes, by anyone

    /// @notice Demands that a receipt be shown under the root of its day, within seven days. Anyone can, once the day is
    /// closed, until eight weeks after it.
    /// @param acknowledgement what a recorder of the institution signed (EIP-712)
    /// @param r first half of its compact signature (ERC-2098)
    /// @param vs second half of its compact signature
    function demand(Acknowledgement calldata acknowledgement, bytes32 r, bytes32 vs) external;

    /// @notice Answers a demand: shows the receipt under the root of its day. Anyone can who has the proof.
    /// @param acknowledgement what was demanded
    /// @param proof siblings from the leaf of the receipt up to the root
    function answer(Acknowledgement calldata acknowledgement, bytes32[] calldata proof) external;

    // ------------------------------------------------------------------ views

    /// @notice The last day for which a recorder's acknowledgements count.
    /// @param institution the institution
    /// @param recorder address of the key
    /// @return lastDay the day; the largest number while the key is a recorder, zero if it never was
    function lastDayOf(address institution, address recorder) external view returns (Day lastDay);

    /// @notice What is known of the root of a day.
    /// @param institution the institution
    /// @param day the day
    /// @return state whether there is a root
    /// @return root its first 28 bytes; zero unless there is one
    function rootOf(address institution, Day day) external view returns (RootState state, bytes28 root);

    /// @notice The last checkpoint of a log.
    /// @param institution institution whose log it is
    /// @param log SHA-256 of the log's origin
    /// @return size how many entries it has; zero when none was anchored
    /// @return root first 27 bytes of the root of their tree
    function logOf(address institution, LogOrigin log) external view returns (uint40 size, bytes27 root);

    /// @notice What the chain keeps of a demand; all zero when nothing was demanded.
    /// @param demandId id of the demand
    /// @return kept until when it can be answered, and when it was
    function demandOf(DemandId demandId) external view returns (Demand memory kept);

    /// @notice Whether a receipt was demanded and not shown in time: the institution left it out.
    /// @param demandId id of the demand
    /// @return omitted whether that is so; it stays so
    function isOmitted(DemandId demandId) external view returns (bool omitted);

    /// @notice Computes the id of a demand.
    /// @param acknowledgement what is demanded
    /// @return demandId its hash as a struct (EIP-712)
    function demandIdOf(Acknowledgement calldata acknowledgement) external pure returns (DemandId demandId);
}
