"""Each package offers its public names, and imports their modules only when one is asked for."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from pathlib import Path
from subprocess import run

import pytest

import radledger

SOURCE = Path(radledger.__file__).parent
PACKAGES = [
    each.name
    for each in pkgutil.walk_packages([str(SOURCE)], "radledger.")
    if each.ispkg and not each.name.endswith(".migrations")
]
LAZY = [
    name
    for name in PACKAGES
    if "lazily(" in Path(importlib.import_module(name).__file__).read_text("utf-8")
]


def imports_for_types(package):
    """What a package imports for type checkers: name to module."""
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    return {
        name.name: statement.module
        for block in tree.body
        if isinstance(block, ast.If)
        for statement in block.body
        for name in statement.names
    }


@pytest.mark.parametrize("name", LAZY)
def test_a_type_checker_and_python_see_the_same_names(name):
    package = importlib.import_module(name)
    typed = imports_for_types(package)
    assert sorted(typed) == sorted(package.__all__)
    for public, module in typed.items():
        assert getattr(package, public) is getattr(importlib.import_module(module), public)


@pytest.mark.parametrize("name", LAZY)
def test_a_name_that_a_package_does_not_have_is_an_error(name):
    with pytest.raises(AttributeError, match=rf"module '{name}' has no attribute 'missing'"):
        _ = importlib.import_module(name).missing


def test_packages_import_nothing_heavy():
    heavy = "{'web3', 'sqlalchemy', 'typer', 'pydicom', 'cryptography', 'eth_abi', 'httpx'}"
    program = f"import sys, {', '.join(PACKAGES)}; print({heavy} & sys.modules.keys())"
    done = run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
