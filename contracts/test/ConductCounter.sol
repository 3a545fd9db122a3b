// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEmergencyAccess} from "../../interfaces/IEmergencyAccess.sol";
import {ConductSlot} from "../consent/ConductSlot.sol";

/// @notice One slot of conduct, to count in by itself and from any state.
contract ConductCounter {
    ConductSlot public slot;

    function set(ConductSlot slot_) external {
        slot = slot_;
    }

    function declare() external {
        slot = slot.today().declared();
    }

    function review(uint256 since, bool justified) external {
        slot = slot.today().reviewed(since, justified);
    }

    function conduct() external view returns (IEmergencyAccess.Conduct memory) {
        return slot.today().unpack();
    }
}
