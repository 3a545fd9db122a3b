"""Run a command; every error becomes one line and an exit code."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from radledger.cli.application import command_tree
from radledger.cli.output import plain
from radledger.cli.session import session
from radledger.errors import RadLedgerError, UsageError
from radledger.texts import visible

__all__ = ["run"]

_DONE, _REFUSED, _USAGE, _INTERRUPTED = 0, 1, 2, 130
# Typer brings its own copy of click or the installed one, by its version; both have this class.
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]


class _Lines(logging.Formatter):
    """A line for each warning, whatever a node or a relayer has put into it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(visible, super().formatException(ei).split("\n")))


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done, 1 refused, 2 usage, 130 interrupted.
    """
    session.reset()
    if logging.lastResort is not None:  # what prints where no program has configured logging
        logging.lastResort.setFormatter(_Lines())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A locale without a sign shows its number instead.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        _discard_output()
        return _DONE
    except OSError as error:
        _discard_output()
        print(f"{type(error).__name__}: the output cannot be written: {error}", file=sys.stderr)
        return _REFUSED


def _run(arguments: Sequence[str]) -> int:
    try:
        _invoke(arguments)
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
        from radledger.wording import humanize

        return _report(error.name, humanize(error), error.values, code)
    except BrokenPipeError:
        raise  # who reads the output has had enough
    except OSError as error:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
        message = ": ".join(part for part in (name, error.strerror) if part)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message += (
                f"; make room where the home ({session.folder}), the store and temporary files "
                f"({tempfile.gettempdir()}) are, and run the command again"
            )
        values = {"path": name} if name else {}
        return _report(type(error).__name__, message or str(error), values, _REFUSED)
    except Exception as error:
        return _report("InternalError", f"{_fault(error)}; {_kept()}", {}, _REFUSED)


def _discard_output() -> None:
    """Discard the rest of the output, so that the interpreter exits without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    """What a command line gives for an option; None if nothing, or if it is not an option."""
    for option in getattr(parameter, "opts", ()):
        for position, word in enumerate(arguments):
            if word.startswith(f"{option}="):
                return word.partition("=")[2]
            if word == option and option.startswith("-"):
                return next(iter(arguments[position + 1 :]), None)
    return None


def _report(name: str, message: Any, values: Any, code: int) -> int:
    """Print one line, whatever the error holds: it may come from a node, a relayer or a file."""
    message = " ".join(str(message).split())
    values = values if isinstance(values, Mapping) else {}
    if session.json:
        print(json.dumps({"error": name, "values": _plain(values), "message": message}))
    else:
        skipped = values.get("skipped")
        for each in skipped if isinstance(skipped, list | tuple) else ():
            if isinstance(each, Mapping) and each.keys() >= {"path", "reason"}:
                print(visible(f"{each['path']}: {each['reason']}"), file=sys.stderr)
        print(visible(f"{name}: {session.named(message)}"), file=sys.stderr)
    return code


def _plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    """The values of an error that have a form in JSON, and the type of each other one."""
    shown: dict[str, Any] = {}
    for name, value in values.items():
        try:
            given = plain(value)
            json.dumps(given, allow_nan=False)
        except Exception:  # whatever an object's own methods raise
            given = f"<{type(value).__name__}>"
        shown[str(name)] = given
    return shown


def _fault(error: Exception) -> str:
    if isinstance(error, UnicodeError):  # its text holds what could not be read, a secret perhaps
        return type(error).__name__
    try:
        return repr(error)
    except Exception:  # of an error's own
        return type(error).__name__


def _kept() -> str:
    """Keep the traceback of a fault of our own where its user can send it from."""
    try:
        log = session.folder / "errors.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(traceback.format_exc() + "\n")
    except (OSError, UsageError):
        return "please report it"
    return f"please report it with the last lines of {log}"
