"""Run a command; whatever goes wrong becomes one line and an exit code."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from radledger.cli.application import application
from radledger.cli.output import plain
from radledger.cli.session import session
from radledger.errors import RadLedgerError, UsageError
from radledger.facade import default_home

__all__ = ["run"]

_DONE, _REFUSED, _USAGE, _INTERRUPTED = 0, 1, 2, 130
_FLAGS = {"--json"}
_VALUED = {"--network", "--as", "--home"}
# Typer brings its own copy of click or the installed one, by its version; both have this class.
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done, 1 refused, 2 usage, 130 interrupted.
    """
    command = typer.main.get_command(application)
    try:
        code = command.main(_shared_first(arguments), prog_name="radledger", standalone_mode=False)
        return code if isinstance(code, int) else _DONE
    except typer.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted; run the command again to go on", file=sys.stderr)
        return _INTERRUPTED
    except _ClickException as error:
        message = getattr(error, "format_message", error.__str__)()
        return _report("UsageError", message, {}, _USAGE)
    except RadLedgerError as error:
        code = _USAGE if isinstance(error, UsageError) else _REFUSED
        return _report(error.name, error.message, error.values, code)
    except BrokenPipeError:
        # Who reads the output has had enough; it is not to be flushed once more at exit.
        sys.stdout = None
        return _DONE
    except OSError as error:
        return _report(type(error).__name__, str(error), {}, _REFUSED)
    except Exception as error:
        return _report("InternalError", f"{error}; {_kept()}", {}, _REFUSED)


def _shared_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the options that every command takes in front, where Typer wants them."""
    shared: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name = argument.partition("=")[0]
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in _FLAGS or (name in _VALUED and name != argument):
            shared.append(argument)
        elif argument in _VALUED:
            shared += [argument, *[value for value in [next(remaining, None)] if value is not None]]
        else:
            rest.append(argument)
    return shared + rest


def _report(name: str, message: str, values: dict[str, object], code: int) -> int:
    if session.json:
        print(json.dumps({"error": name, "values": plain(values), "message": message}))
    else:
        print(f"{name}: {' '.join(message.split())}", file=sys.stderr)
    return code


def _kept() -> str:
    """Keep the traceback of a fault of our own where its user can send it from."""
    log = (session.home or default_home()) / "errors.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(traceback.format_exc() + "\n")
    except OSError:
        return "please report it"
    return f"please report it with the last lines of {Path(log)}"
