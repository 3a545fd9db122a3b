// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IAccessLedger} from "../../interfaces/IAccessLedger.sol";
import {IConsentRegistry} from "../../interfaces/IConsentRegistry.sol";
import {IParticipantRegistry} from "../../interfaces/IParticipantRegistry.sol";
import {Roles} from "../lib/Roles.sol";
import {Signatures} from "../lib/Signatures.sol";
import {Day} from "../types/Day.sol";
import {DemandId} from "../types/DemandId.sol";
import {LogOrigin} from "../types/LogOrigin.sol";
import {ReceiptDigest} from "../types/ReceiptDigest.sol";
import {time} from "../types/Time.sol";
import {DemandSlot, DemandSlotLibrary} from "./DemandSlot.sol";
import {LogSlot, LogSlotLibrary} from "./LogSlot.sol";
import {RootSlot, RootSlotLibrary} from "./RootSlot.sol";

/// @title AccessLedger
/// @notice Records that receipts of reading exist, and who left one out. See {IAccessLedger}.
contract AccessLedger is IAccessLedger, EIP712, ERC2771Context {
    /// @notice How many days after a day its root can still be anchored or replaced.
    uint256 internal constant OPEN_DAYS = 2;
    /// @notice How many days after a day its receipts can still be demanded.
    uint256 internal constant DEMAND_DAYS = 56;
    /// @notice Within how many seconds a demand is to be answered.
    uint256 internal constant ANSWER_PERIOD = 7 days;
    /// @notice The last day of a recorder that was not dismissed.
    uint32 internal constant NO_END = type(uint32).max;

    bytes32 private constant ACKNOWLEDGEMENT =
        keccak256("Acknowledgement(bytes32 receipt,address institution,uint32 day)");
    // A day's slot is free again when the last demand of that day is over: 56 + 7 days after it.
    uint256 private constant RING = 64;

    IParticipantRegistry private immutable _participants;
    IConsentRegistry private immutable _consents;

    mapping(address institution => mapping(address recorder => uint32 lastDay)) private _recorders;
    mapping(address institution => RootSlot[RING]) private _roots;
    mapping(DemandId demandId => DemandSlot) private _demands;
    mapping(address institution => mapping(LogOrigin log => LogSlot)) private _logs;

    // ------------------------------------------------------------------ construction

    /// @param participants registry of accredited participants
    /// @param consents registry of consent, for which receipts are signed
    /// @param forwarder trusted ERC-2771 forwarder
    constructor(IParticipantRegistry participants, IConsentRegistry consents, address forwarder)
        EIP712("RadLedger Access", "1")
        ERC2771Context(forwarder)
    {
        _participants = participants;
        _consents = consents;
    }

    // ------------------------------------------------------------------ writes, by the institution

    /// @inheritdoc IAccessLedger
    function appoint(address recorder) external {
        if (recorder == address(0)) revert AccessRecorderMissing();
        address institution = _custodian();
        if (_recorders[institution][recorder] != 0) revert AccessRecorderAlreadyAppointed(institution, recorder);
        _recorders[institution][recorder] = NO_END;
        emit AccessRecorderAppointed(institution, recorder);
    }

    /// @inheritdoc IAccessLedger
    function dismiss(address recorder) external {
        address institution = _custodian();
        _requireRecorder(institution, recorder);
        uint32 lastDay = uint32(_today() + 1);
        _recorders[institution][recorder] = lastDay;
        emit AccessRecorderDismissed(institution, recorder, Day.wrap(lastDay));
    }

    // ------------------------------------------------------------------ writes, by a recorder

    /// @inheritdoc IAccessLedger
    function record(address institution, ReceiptDigest receipt) external {
        _requireRecorder(institution, _msgSender());
        emit AccessReceiptRecorded(receipt, institution, address(0));
    }

    /// @inheritdoc IAccessLedger
    function recordSigned(address institution, bytes32 content, address signer, bytes calldata signature) external {
        _requireRecorder(institution, _msgSender());
        bytes32 digest = MessageHashUtils.toTypedDataHash(_receiptDomain(), content);
        if (!Signatures.isSignedBy(signer, digest, signature)) revert AccessBadSignature(signer);
        emit AccessReceiptRecorded(ReceiptDigest.wrap(digest), institution, signer);
    }

    /// @inheritdoc IAccessLedger
    function anchorDay(address institution, Day day, bytes32 root) external {
        RootSlot slot = RootSlotLibrary.pack(Day.unwrap(day), root);
        if (slot.root() == 0) revert AccessRootMissing();
        uint256 today = _today();
        uint256 number = Day.unwrap(day);
        if (number > today || number + OPEN_DAYS < today) revert AccessDayNotOpen(day, _day(today));
        _requireRecorder(institution, _msgSender());
        _roots[institution][number % RING] = slot;
        emit AccessDayAnchored(institution, day, root);
    }

    /// @inheritdoc IAccessLedger
    function anchorLog(address institution, LogOrigin log, uint40 size, bytes32 root) external {
        _requireRecorder(institution, _msgSender());
        uint40 anchored = _logs[institution][log].size();
        if (size <= anchored) revert AccessLogNotGrown(log, size, anchored);
        _logs[institution][log] = LogSlotLibrary.pack(size, root);
        emit AccessLogAnchored(institution, log, size, root);
    }

    // ------------------------------------------------------------------ writes, by anyone

    /// @inheritdoc IAccessLedger
    function demand(Acknowledgement calldata acknowledgement, bytes32 r, bytes32 vs) external {
        Day day = acknowledgement.day;
        uint256 today = _today();
        uint256 number = Day.unwrap(day);
        if (number + OPEN_DAYS >= today || number + DEMAND_DAYS < today) revert AccessNotDemandable(day, _day(today));

        bytes32 content = _hash(acknowledgement);
        address institution = acknowledgement.institution;
        // The zero address, which stands for a signature that is not valid, was never appointed.
        (address signer,,) = ECDSA.tryRecover(_hashTypedDataV4(content), r, vs);
        uint32 lastDay = _recorders[institution][signer];
        if (lastDay < number) revert AccessNotAcknowledged(institution, day, signer);

        DemandId demandId = DemandId.wrap(content);
        if (_demands[demandId].exists()) revert AccessAlreadyDemanded(demandId);
        uint256 due = block.timestamp + ANSWER_PERIOD;
        _demands[demandId] = DemandSlotLibrary.demanded(due);
        emit AccessDemanded(demandId, acknowledgement.receipt, institution, day, time(due));
    }

    /// @inheritdoc IAccessLedger
    function answer(Acknowledgement calldata acknowledgement, bytes32[] calldata proof) external {
        DemandId demandId = DemandId.wrap(_hash(acknowledgement));
        DemandSlot slot = _demands[demandId];
        if (!slot.exists()) revert AccessNotDemanded(demandId);
        if (slot.isAnswered()) revert AccessAlreadyAnswered(demandId);
        if (slot.isOver()) revert AccessAnswerLate(demandId, slot.due());

        address institution = acknowledgement.institution;
        Day day = acknowledgement.day;
        uint32 number = Day.unwrap(day);
        bytes32 root = MerkleProof.processProofCalldata(proof, _leaf(acknowledgement.receipt));
        if (!_roots[institution][number % RING].equals(RootSlotLibrary.pack(number, root))) {
            revert AccessProofInvalid(institution, day, root);
        }
        _demands[demandId] = slot.answered();
        emit AccessAnswered(demandId);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IAccessLedger
    function lastDayOf(address institution, address recorder) external view returns (Day lastDay) {
        return Day.wrap(_recorders[institution][recorder]);
    }

    /// @inheritdoc IAccessLedger
    function rootOf(address institution, Day day) external view returns (RootState state, bytes28 root) {
        uint256 number = Day.unwrap(day);
        RootSlot slot = _roots[institution][number % RING];
        if (slot.day() > number) return (RootState.Overwritten, 0);
        if (slot.day() == number && slot.root() != 0) return (RootState.Anchored, slot.root());
        return (number + OPEN_DAYS < _today() ? RootState.Missing : RootState.Pending, 0);
    }

    /// @inheritdoc IAccessLedger
    function logOf(address institution, LogOrigin log) external view returns (uint40 size, bytes27 root) {
        LogSlot slot = _logs[institution][log];
        return (slot.size(), slot.root());
    }

    /// @inheritdoc IAccessLedger
    function demandOf(DemandId demandId) external view returns (Demand memory kept) {
        DemandSlot slot = _demands[demandId];
        return Demand(slot.due(), slot.answeredAt());
    }

    /// @inheritdoc IAccessLedger
    function isOmitted(DemandId demandId) external view returns (bool omitted) {
        DemandSlot slot = _demands[demandId];
        return slot.exists() && !slot.isAnswered() && slot.isOver();
    }

    /// @inheritdoc IAccessLedger
    function demandIdOf(Acknowledgement calldata acknowledgement) external pure returns (DemandId demandId) {
        return DemandId.wrap(_hash(acknowledgement));
    }

    // ------------------------------------------------------------------ internal

    /// @dev The institution for which the caller may appoint recorders.
    function _custodian() private view returns (address) {
        return _participants.requireRole(_msgSender(), Roles.CUSTODIAN);
    }

    /// @dev Reverts unless the key is a recorder of the institution that was not dismissed.
    function _requireRecorder(address institution, address recorder) private view {
        if (_recorders[institution][recorder] != NO_END) revert AccessRecorderNotAppointed(institution, recorder);
    }

    function _today() private view returns (uint256) {
        return block.timestamp / 1 days;
    }

    /// @dev The domain of receipts. It is computed each time, so that those of one chain do not count on a fork of it.
    function _receiptDomain() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("RadLedger Receipt"),
                keccak256("1"),
                block.chainid,
                _consents
            )
        );
    }

    function _day(uint256 number) private pure returns (Day) {
        return Day.wrap(uint32(number));
    }

    function _hash(Acknowledgement calldata acknowledgement) private pure returns (bytes32) {
        return keccak256(abi.encode(ACKNOWLEDGEMENT, acknowledgement));
    }

    /// @dev Hashed twice, so that no inner node of the tree can pass for a leaf.
    function _leaf(ReceiptDigest receipt) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(receipt))));
    }
}
