"""Run a command; whatever goes wrong becomes one line and an exit code."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from radledger.cli.application import command_tree
from radledger.cli.output import plain
from radledger.cli.session import session
from radledger.errors import RadLedgerError, UsageError

__all__ = ["run"]

_DONE, _REFUSED, _USAGE, _INTERRUPTED = 0, 1, 2, 130
# Typer brings its own copy of click or the installed one, by its version; both have this class.
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done, 1 refused, 2 usage, 130 interrupted.
    """
    session.reset()
    try:
        _invoke(arguments)
        sys.stdout.flush()
        return _DONE
    except typer.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, EOFError, typer.Abort):
        message = "run the command again to go on"
        return _report("Interrupted", message, {}, _INTERRUPTED)
    except _ClickException as error:
        session.json = session.json or "--json" in arguments
        return _usage(error, arguments)
    except RadLedgerError as error:
        code = _USAGE if isinstance(error, UsageError) else _REFUSED
        from radledger.wording import in_words

        return _report(error.name, in_words(error), error.values, code)
    except BrokenPipeError:
        # Who reads the output has had enough; what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _DONE
    except OSError as error:
        values = {"path": os.fspath(error.filename)} if error.filename else {}
        message = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message += (
                f"; make room where the home ({session.folder}), the store and temporary files "
                f"({tempfile.gettempdir()}) are, and run the command again"
            )
        return _report(type(error).__name__, message or str(error), values, _REFUSED)
    except Exception as error:
        return _report("InternalError", f"{error!r}; {_kept()}", {}, _REFUSED)


def _invoke(arguments: Sequence[str]) -> None:
    commands = command_tree()
    with commands.make_context("radledger", list(arguments)) as context:
        commands.invoke(context)


def _usage(error: Exception, arguments: Sequence[str]) -> int:
    """Report a command line that cannot be understood, and where to read how it is."""
    message = str(getattr(error, "format_message", error.__str__)()).replace("Value error, ", "")
    given = _given(getattr(error, "param", None), arguments)
    if given is not None and repr(given) not in message:
        message = f"{message.rstrip('.')}, and is {given!r}"
    context = getattr(error, "ctx", None)
    if context is not None:
        if message == "Missing command." and not session.json:
            print(context.get_help(), end="\n\n", file=sys.stderr)
        message = f"{message.rstrip('.')}; see `{context.command_path} --help`"
    return _report("UsageError", message, {}, _USAGE)


def _given(parameter: Any, arguments: Sequence[str]) -> str | None:
    """What a command line gives for an option; None if nothing, or if it is no option."""
    for option in getattr(parameter, "opts", ()):
        for position, word in enumerate(arguments):
            if word.startswith(f"{option}="):
                return word.partition("=")[2]
            if word == option and option.startswith("-"):
                return next(iter(arguments[position + 1 :]), None)
    return None


def _report(name: str, message: str, values: dict[str, Any], code: int) -> int:
    if session.json:
        print(json.dumps({"error": name, "values": plain(values), "message": message}))
    else:
        for each in values.get("skipped") or []:
            print(f"{each['path']}: {each['reason']}", file=sys.stderr)
        print(f"{name}: {session.named(' '.join(message.split()))}", file=sys.stderr)
    return code


def _kept() -> str:
    """Keep the traceback of a fault of our own where its user can send it from."""
    log = session.folder / "errors.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(traceback.format_exc() + "\n")
    except OSError:
        return "please report it"
    return f"please report it with the last lines of {log}"
