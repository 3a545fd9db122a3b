"""A group of commands of which one may be left out: ``access-log`` is ``access-log show``."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["LeadingGroup"]

# Typer brings its own copy of click or the installed one, by its version; both have this class.
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]


class LeadingGroup(TyperGroup):
    """A group that runs its command ``show`` where none of its commands is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name before arguments that name none."""
        try:
            given, rest, _ = self.make_parser(ctx).parse_args(list(args))
        except _ClickException:
            given, rest = {}, []  # an option of the command, which the group does not have
        named = bool(rest) and rest[0] in self.commands
        if not named and not given.get("help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)
