// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// To call and to answer as no token should is what it is for.
// solhint-disable avoid-low-level-calls, no-inline-assembly

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title An ERC-20 token that a test makes misbehave
/// @notice It calls back, keeps a fee, returns false or nothing, shrinks, grows, lies or reverts.
contract HostileToken is ERC20 {
    enum Answer {
        True,
        False,
        Nothing,
        Garbage,
        Revert
    }

    error TransferRefused();

    Answer public answer;
    uint256 public fee;
    uint256 public callbacks;

    bool private _lies;
    uint256 private _lie;
    bytes[] private _calls;
    address private _target;
    bool private _entered;

    /// @notice What came of the calls that it made while it was called.
    event CalledBack(bool success, bytes result);

    constructor(address holder, uint256 supply) ERC20("Hostile Token", "HTL") {
        _mint(holder, supply);
    }

    function setAnswer(Answer newAnswer) external {
        answer = newAnswer;
    }

    /// @param basisPoints of each transfer that are burned
    function setFee(uint256 basisPoints) external {
        fee = basisPoints;
    }

    function mint(address holder, uint256 amount) external {
        _mint(holder, amount);
    }

    function burn(address holder, uint256 amount) external {
        _burn(holder, amount);
    }

    /// @notice Reports this balance for every account from now on.
    function lie(uint256 balance) external {
        (_lies, _lie) = (true, balance);
    }

    /// @notice Makes these calls during the next transfer.
    function callBack(address target, bytes[] calldata calls) external {
        _target = target;
        delete _calls;
        for (uint256 i = 0; i < calls.length; ++i) {
            _calls.push(calls[i]);
        }
    }

    /// @notice Makes the token itself call, so that a callback comes from an account with rights.
    function act(address target, bytes calldata call) external returns (bytes memory result) {
        bool success;
        (success, result) = target.call(call);
        if (!success) {
            assembly {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function balanceOf(address holder) public view override returns (uint256) {
        return _lies ? _lie : super.balanceOf(holder);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        _callBack();
        if (answer == Answer.False) return false;
        if (answer == Answer.Revert) revert TransferRefused();
        super.transfer(to, amount);
        return _answered();
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _callBack();
        if (answer == Answer.False) return false;
        if (answer == Answer.Revert) revert TransferRefused();
        super.transferFrom(from, to, amount);
        return _answered();
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 kept = from == address(0) || to == address(0) ? 0 : amount * fee / 10_000;
        super._update(from, to, amount - kept);
        if (kept != 0) super._update(from, address(0), kept);
    }

    function _callBack() private {
        if (_entered) return;
        _entered = true;
        for (uint256 i = 0; i < _calls.length; ++i) {
            (bool success, bytes memory result) = _target.call(_calls[i]);
            ++callbacks;
            emit CalledBack(success, result);
        }
        _entered = false;
    }

    function _answered() private view returns (bool) {
        Answer given = answer;
        if (given == Answer.Nothing) {
            assembly {
                return(0, 0)
            }
        }
        if (given == Answer.Garbage) {
            assembly {
                mstore(0, 42)
                return(0, 32)
            }
        }
        return true;
    }
}
