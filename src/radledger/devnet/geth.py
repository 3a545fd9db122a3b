"""Prepare a geth node of a Clique chain (EIP-225): the program, its key, its genesis block."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radledger.devnet.errors import NodeFailed
from radledger.files import private_folder, write_atomically

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["address_of", "command", "genesis", "initialise", "program", "write_key"]

_ETHER = 10**18
_FORKS_BEFORE_LONDON = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
)


def program() -> str:
    """Path of a geth that knows Clique: one on the PATH, or the one that ``make poa`` has built.

    Raises
    ------
    NodeFailed
        If there is neither.
    """
    built = [above / "build/poa" for above in (Path.cwd(), *Path(__file__).resolve().parents)]
    for folder in [*os.environ.get("PATH", os.defpath).split(os.pathsep), *map(str, built)]:
        found = shutil.which("geth", path=folder)
        if found and _knows_clique(found):
            return found
    raise NodeFailed(
        "geth 1.13 is not installed; build it with `make poa`, or put it on the PATH",
        program="geth",
    )


def _knows_clique(path: str) -> bool:
    told = subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout
    return any(f"Version: 1.{minor}." in told for minor in (10, 11, 12, 13))


def write_key(folder: Path, account: LocalAccount) -> None:
    """Write a validator's key to where its node looks for it."""
    password = secrets.token_hex(16)
    private_folder(folder / "keystore")
    write_atomically(folder / "password", password + "\n", private=True)
    # One round: who can read the file can read the random password beside it.
    keyfile = account.encrypt(password, kdf="pbkdf2", iterations=1)
    # An initialisation vector that begins with zeros is written without them; geth panics then.
    while len(keyfile["crypto"]["cipherparams"]["iv"]) < 32:
        keyfile = account.encrypt(password, kdf="pbkdf2", iterations=1)
    write_atomically(folder / "keystore" / "validator", json.dumps(keyfile), private=True)


def address_of(folder: Path) -> str:
    """Address of the validator whose folder this is, in small letters."""
    keyfile = json.loads((folder / "keystore" / "validator").read_text("utf-8"))
    return "0x" + str(keyfile["address"]).lower()


def genesis(
    chain_id: int, period: int, validators: Sequence[str], funded: Sequence[str], *, free_gas: bool
) -> dict[str, Any]:
    """A genesis block whose extraData names the validators, in the order of their addresses.

    Without the London fork there is no base fee (EIP-1559), and transactions may be free.
    """
    forks = dict.fromkeys((*_FORKS_BEFORE_LONDON, *(() if free_gas else ("londonBlock",))), 0)
    listed = "".join(address[2:].lower() for address in validators)
    return {
        "config": {"chainId": chain_id, **forks, "clique": {"period": period, "epoch": 30_000}},
        "difficulty": "0x1",
        "gasLimit": hex(30_000_000),
        "extraData": f"0x{32 * '00'}{listed}{65 * '00'}",
        "alloc": {address: {"balance": hex(10_000 * _ETHER)} for address in funded},
    }


def initialise(path: str, folder: Path, genesis_file: Path) -> None:
    """Write the genesis block into a node's data, if it has none.

    Raises
    ------
    NodeFailed
        If geth refuses.
    """
    if (folder / "geth" / "chaindata").exists():
        return
    done = subprocess.run(
        [path, "init", "--datadir", str(folder), str(genesis_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise NodeFailed(f"geth init failed: {last[0]}", program="geth")


def command(path: str, folder: Path, chain_id: int, host: str, port: int) -> list[str]:
    """Command line of a validator's node, which neither signs nor looks for others by itself."""
    signer = address_of(folder)
    return [
        path,
        *("--datadir", str(folder), "--networkid", str(chain_id), "--cache", "64"),
        # Every state is on disk: else a node that is killed goes back hours.
        *("--syncmode", "full", "--gcmode", "archive"),
        *("--http", "--http.addr", host, "--http.port", str(port)),
        *("--http.api", "eth,net,web3,txpool,clique,admin,miner,debug"),
        *("--port", "0", "--authrpc.port", "0", "--ipcdisable"),
        *("--nodiscover", "--nat", "none", "--netrestrict", "127.0.0.0/8,10.0.0.0/8"),
        *("--miner.etherbase", signer, "--txpool.pricelimit", "0"),
        *("--unlock", signer, "--password", str(folder / "password"), "--allow-insecure-unlock"),
    ]
