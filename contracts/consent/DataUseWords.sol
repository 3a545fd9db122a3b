// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The words of purposes and conditions, as a subject signs them
/// @notice In typed data each is a `string[]`, which lists what is set in the order of the bits of {DataUse}.
/// @dev The hash of a `string[]` is that of the hashes of its strings (EIP-712), which are constants here: no string is
/// copied. Each word is written where the next one belongs, and counts if its bit moves that place on: a branch for each
/// would cost more gas and more code.
library DataUseWords {
    /// @notice The hash of the list of purposes.
    function purposes(uint256 bits) internal pure returns (bytes32) {
        bytes memory list = new bytes(9 * 32);
        uint256 start;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            start := add(list, 0x20)
        }
        uint256 end = start;
        end = _listed(end, bits & 1, keccak256("any use, without restriction"));
        end = _listed(end, bits >> 1 & 1, keccak256("general research use"));
        end = _listed(end, bits >> 2 & 1, keccak256("health, medical or biomedical research"));
        end = _listed(end, bits >> 3 & 1, keccak256("disease-specific research"));
        end = _listed(end, bits >> 4 & 1, keccak256("research on population origins or ancestry"));
        end = _listed(end, bits >> 5 & 1, keccak256("clinical care"));
        end = _listed(end, bits >> 6 & 1, keccak256("method development"));
        end = _listed(end, bits >> 7 & 1, keccak256("research control"));
        end = _listed(end, bits >> 8 & 1, keccak256("teaching"));
        return _hash(start, end);
    }

    /// @notice The hash of the list of conditions.
    function conditions(uint256 bits) internal pure returns (bytes32) {
        bytes memory list = new bytes(16 * 32);
        uint256 start;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            start := add(list, 0x20)
        }
        uint256 end = start;
        end = _listed(end, bits & 1, keccak256("by a not-for-profit organisation only"));
        end = _listed(end, bits >> 1 & 1, keccak256("for non-commercial use only"));
        end = _listed(end, bits >> 2 & 1, keccak256("for genetic studies only"));
        end = _listed(end, bits >> 3 & 1, keccak256("results are published"));
        end = _listed(end, bits >> 4 & 1, keccak256("in collaboration with the primary investigators"));
        end = _listed(end, bits >> 5 & 1, keccak256("with ethics approval"));
        end = _listed(end, bits >> 6 & 1, keccak256("in the agreed region only"));
        end = _listed(end, bits >> 7 & 1, keccak256("no publication before the agreed date"));
        end = _listed(end, bits >> 8 & 1, keccak256("for the agreed time only"));
        end = _listed(end, bits >> 9 & 1, keccak256("by the agreed users only"));
        end = _listed(end, bits >> 10 & 1, keccak256("for the agreed project only"));
        end = _listed(end, bits >> 11 & 1, keccak256("at the agreed institution only"));
        end = _listed(end, bits >> 12 & 1, keccak256("results are returned to the database"));
        end = _listed(end, bits >> 13 & 1, keccak256("for the agreed type of research only"));
        end = _listed(end, bits >> 14 & 1, keccak256("no general methods research"));
        end = _listed(end, bits >> 15 & 1, keccak256("no research on population origins or ancestry"));
        return _hash(start, end);
    }

    /// @dev Writes a word at the end of a list, and moves the end by a word if the bit is 1.
    function _listed(uint256 end, uint256 bit, bytes32 word) private pure returns (uint256 next) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(end, word)
            next := add(end, shl(5, bit))
        }
    }

    function _hash(uint256 start, uint256 end) private pure returns (bytes32 hash) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            hash := keccak256(start, sub(end, start))
        }
    }
}
