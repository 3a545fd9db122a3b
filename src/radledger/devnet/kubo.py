"""Start, connect and stop private Kubo (IPFS) nodes.

::

    folder/
      swarm.key        one for all: a node needs it to connect
      <name>/          one node: its repository, its log, and where it runs

They know no bootstrap node, no public routing and no other machine: each listens on loopback
alone, and speaks only to nodes with the same key.  A node keeps its ports from one start to the
next, so that its users find it again.

References
----------
.. [1] Kubo, https://docs.ipfs.tech/install/command-line/
.. [2] Private networks, https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from radledger.devnet import process
from radledger.devnet.errors import NodeFailed
from radledger.files import private_folder, write_atomically

__all__ = ["connect", "names", "program", "recorded", "start", "stop"]

_INSTITUTIONS = ("hospital", "clinic")


def names(count: int) -> list[str]:
    """Names for a number of nodes: the institutions that run them, then numbered.

    Examples
    --------
    >>> names(3)
    ['hospital', 'clinic', 'node-3']
    """
    numbered = [f"node-{number}" for number in range(3, count + 1)]
    return [*_INSTITUTIONS[:count], *numbered]


def start(folder: Path, wanted: Iterable[str]) -> dict[str, process.Node]:
    """Start the nodes of these names that do not run, and connect all of them.

    Parameters
    ----------
    folder
        Where their repositories are, or will be.
    wanted
        Their names.

    Returns
    -------
    dict
        Each by its name; its endpoint is the multiaddress of its RPC API.

    Raises
    ------
    NodeFailed
        If Kubo is not installed, or a node does not start.
    """
    private_folder(folder)
    nodes = {}
    for name in wanted:
        place = _Place(folder / name)
        node = place.node()
        if node is None or not place.serves():
            if node is not None:
                node.stop()
            place.prepare(_swarm_key(folder))
            node = place.start()
        nodes[name] = node
    connect(folder, nodes)
    return nodes


def recorded(folder: Path) -> dict[str, process.Node | None]:
    """The nodes of a folder by name, None for one that does not run."""
    places = [_Place(path.parent) for path in folder.glob("*/node.json")]
    order = {name: index for index, name in enumerate(names(len(places)))}
    places.sort(key=lambda place: (order.get(place.name, len(order)), place.name))
    return {place.name: place.node() for place in places}


def stop(folder: Path) -> None:
    """Stop the nodes of a folder; their data is kept."""
    for node in recorded(folder).values():
        if node is not None:
            node.stop()


def connect(folder: Path, wanted: Iterable[str]) -> None:
    """Connect the nodes of these names to one another; they stay so, whichever starts again."""
    places = [_Place(folder / name) for name in wanted]
    for place in places:
        for other in places:
            if other is not place:
                place.call("swarm/peering/add", other.address)
                place.call("swarm/connect", other.address)


def program() -> str:
    """Path of the ``ipfs`` program: on the PATH, or as ``make kubo`` builds it.

    Raises
    ------
    NodeFailed
        If there is none.
    """
    found = shutil.which("ipfs")
    if found is not None:
        return found
    for above in (Path.cwd(), *Path(__file__).resolve().parents):
        built = above / "build" / "kubo" / "ipfs"
        if built.is_file():
            return str(built)
    raise NodeFailed(
        "Kubo is not installed; run `make kubo`, or put its `ipfs` on the PATH", program="ipfs"
    )


@dataclass(frozen=True)
class _Place:
    """Where a node is: its repository and what runs on it."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def address(self) -> str:
        """Multiaddress at which other nodes reach it."""
        configuration = self._configuration()
        peer = configuration["Identity"]["PeerID"]
        return f"{configuration['Addresses']['Swarm'][0]}/p2p/{peer}"

    @property
    def _repository(self) -> Path:
        return self.folder / "repository"

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "IPFS_PATH": str(self._repository),
            "IPFS_TELEMETRY": "off",
            # Without the key it must not start at all.
            "LIBP2P_FORCE_PNET": "1",
        }

    def prepare(self, swarm_key: str) -> None:
        """Make the repository of a node that knows no peer, unless it is there."""
        if (self._repository / "swarm.key").exists():
            return
        shutil.rmtree(self._repository, ignore_errors=True)  # an interrupted attempt
        private_folder(self.folder)
        done = subprocess.run(
            [program(), "init", "--profile", "test"],
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = " ".join(done.stderr.split())
            raise NodeFailed(f"Kubo made no repository: {reason}", node=self.name)
        # The profile leaves no bootstrap nodes, no local discovery and no port mapping.
        configuration = self._configuration()
        configuration["Routing"]["Type"] = "none"
        configuration["AutoConf"]["Enabled"] = False
        configuration["Addresses"]["Gateway"] = []
        for mount in configuration["Datastore"]["Spec"]["mounts"]:
            if mount["type"] == "flatfs":
                mount["sync"] = True  # what it reports as stored must survive a power failure
        configuration["Swarm"]["Transports"]["Network"]["Websocket"] = False
        self._configure(configuration, process.free_port(), process.free_port())
        write_atomically(self._repository / "swarm.key", swarm_key, private=True)

    def start(self) -> process.Node:
        """Start it on its previous ports, or on others if those are taken."""
        tried = False

        def attempt() -> process.Node:
            nonlocal tried
            if tried:
                self._configure(self._configuration(), process.free_port(), process.free_port())
            tried = True
            return process.spawn(
                "kubo",
                [program(), "daemon"],
                self.folder / "log",
                self._configuration()["Addresses"]["API"],
                self.serves,
                self._environment,
            )

        node = process.with_free_ports(attempt)
        write_atomically(self.folder / "node.json", json.dumps(asdict(node), indent=2) + "\n")
        return node

    def node(self) -> process.Node | None:
        """The process that was started here, if it runs."""
        path = self.folder / "node.json"
        if not path.exists():
            return None
        with process.understood(path):
            node = process.Node(**json.loads(path.read_text("utf-8")))
        return node if node.is_alive() else None

    def serves(self) -> bool:
        """Whether this very node answers at its address."""
        try:
            # What has its port instead may take a request and never answer.
            answer = self.call("id", seconds=5.0)
        except NodeFailed:
            return False
        return bool(answer.get("ID") == self._configuration()["Identity"]["PeerID"])

    def call(
        self, method: str, argument: str | None = None, *, seconds: float = 60.0
    ) -> Mapping[str, Any]:
        """Call its RPC API."""
        port = self._configuration()["Addresses"]["API"].rpartition("/")[2]
        parameters = {} if argument is None else {"arg": argument}
        try:
            response = _http().post(
                f"http://127.0.0.1:{port}/api/v0/{method}", params=parameters, timeout=seconds
            )
            response.raise_for_status()
            answer: Mapping[str, Any] = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NodeFailed(
                f"the Kubo node {self.name} does not answer to {method}: {error}", node=self.name
            ) from error
        return answer

    def _configuration(self) -> dict[str, Any]:
        configuration: dict[str, Any] = json.loads((self._repository / "config").read_text("utf-8"))
        return configuration

    def _configure(self, configuration: dict[str, Any], api: int, swarm: int) -> None:
        configuration["Addresses"]["API"] = f"/ip4/127.0.0.1/tcp/{api}"
        configuration["Addresses"]["Swarm"] = [f"/ip4/127.0.0.1/tcp/{swarm}"]
        text = json.dumps(configuration, indent=2)
        write_atomically(self._repository / "config", text, private=True)


@cache
def _http() -> httpx.Client:
    """One client for all nodes, since making one takes as long as many calls."""
    return httpx.Client(trust_env=False)  # no proxy reaches a node on this machine


def _swarm_key(folder: Path) -> str:
    """The key that all nodes of a folder share, made at first."""
    path = folder / "swarm.key"
    if not path.exists():
        key = f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n"
        write_atomically(path, key, private=True)
    return path.read_text("utf-8")
