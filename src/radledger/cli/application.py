"""The tree of commands."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from radledger.area.declaration import load
from radledger.areas import AREAS
from radledger.cli.session import session

__all__ = ["application", "command_tree"]

# At the end of each help, in place of the options themselves.
_EPILOG = (
    "Every command takes --json, --network NAME, --as ACCOUNT, --home DIR and --journal URL, "
    "anywhere."
)
_EVERYWHERE = {"json", "network", "account", "home", "journal"}

application = typer.Typer(
    name="radledger",
    help="Consent, provenance and rewards for medical imaging on Ethereum.",
    epilog=_EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Help in boxes would take three times as long to come.
    rich_markup_mode=None,
)
_OWN = {
    "deploy": "radledger.cli.deploy:group",
    "devnet": "radledger.cli.devnet:group",
    "network": "radledger.cli.network:group",
    "account": "radledger.cli.account:group",
}
_LATER = {
    "store": "radledger.cli.store:group",
    "index": "radledger.cli.index:group",
    "relay": "radledger.cli.relay:group",
    "gateway": "radledger.cli.gateway:group",
    "link": "radledger.cli.link:group",
    "pacs": "radledger.cli.pacs:group",
    "transaction": "radledger.cli.transaction:group",
    "submit": "radledger.cli.acting:submit",
    "history": "radledger.cli.index:history",
    "lineage": "radledger.cli.index:lineage",
    "audit": "radledger.cli.index:audit",
}


def _add(name: str, place: str) -> None:
    """Add a group of commands, or one command."""
    found = load(place)
    if isinstance(found, typer.Typer):
        application.add_typer(found, name=name)
    else:
        application.command(name=name)(found)


for _commands in (_OWN, *(area.commands for area in AREAS), _LATER):
    for _name, _place in _commands.items():
        _add(_name, _place)


def _version(asked: bool) -> None:
    if asked:
        from radledger import __version__

        print(__version__)
        raise typer.Exit


def _keep(option: typer.CallbackParam, value: Any) -> Any:
    """Tell the session of an option that was given, before the command or after it."""
    if value is None or value is False:
        return value
    if value == "" or str(value).startswith("-"):
        raise typer.BadParameter(f"it cannot be {str(value)!r}")
    setattr(session, str(option.name), value)
    return value


@application.callback()
def shared(
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            callback=_keep,
            is_eager=True,  # how an error in another option is reported depends on it
            help="Print JSON, one object a line.",
        ),
    ] = False,
    network: Annotated[
        str | None,
        typer.Option(
            callback=_keep, metavar="NAME", help="Name of a network, or its JSON-RPC endpoint."
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--as", metavar="ACCOUNT", callback=_keep, help="Account that acts."),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(metavar="DIR", callback=_keep, help="Folder with keys and deployments."),
    ] = None,
    journal: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            callback=_keep,
            help="PostgreSQL database of the image sets' secrets; by default in the home.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that every command has; `_keep` keeps them."""


@cache
def command_tree() -> Any:
    """The commands, ready to run, each with the options that all share."""
    root = typer.main.get_command(application)
    everywhere: list[Any] = [
        copy.copy(option) for option in root.params if option.name in _EVERYWHERE
    ]
    for option in everywhere:
        option.expose_value = False
        option.hidden = True
    for command in _below(root):
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                # `<str>` does not say what to write; the help beside it does.
                parameter.display_type_rich = lambda ctx: ""
                parameter.metavar = parameter.metavar or parameter.name.upper()
        command.params += everywhere
        command.epilog = _EPILOG
        command.short_help = (command.help or "").partition("\n\n")[0]  # whole, in lists too
    return root


def _below(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        yield command
        if hasattr(command, "commands"):
            yield from _below(command)
