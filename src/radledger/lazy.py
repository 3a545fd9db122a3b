"""Public names of a package, imported on first use (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazily"]


def lazily(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """A package's ``__getattr__``, which imports a module when one of its names is asked for.

    ``radledger --help`` must not pay for web3 (a second) or pydicom.

    Parameters
    ----------
    package
        The package's ``__name__``.
    modules
        Public names by module, which is named relative to the package.
    """
    places = {name: f"{package}.{module}" for module, names in modules.items() for name in names}

    def attribute(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return attribute
