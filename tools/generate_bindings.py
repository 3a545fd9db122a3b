"""Write what Python needs of the contracts' declarations, an area at a time, or check it.

    python -m tools.generate_bindings           # write src/radledger/<area>/bindings.py
    python -m tools.generate_bindings --check   # exit 1 with a list where they differ

A module has the enumerations and structs in the ABIs of its area's contracts, the structs that are
signed (EIP-712), and every constant that is not private.  What two areas share belongs to the
first of them; the second imports it.  ``chain/enumerations.py`` has the members of all
enumerations, for words.
"""

from __future__ import annotations

import keyword
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from radledger.areas import AREAS
from tools.compile_contracts import compile_sources, sources
from tools.generate_refusals import formatted, snake_case
from tools.solidity import Constant, Node, Sources

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "radledger"
ENUMERATION = "enum "
SIGNED = re.compile(r"(?P<name>\w+)\((?P<fields>\w+(\[\])? \w+(,\w+(\[\])? \w+)*)\)")
PYTHON_TYPES = {"address": "str", "string": "str", "bool": "bool"}
# What a module does not use, ruff removes.
HEADER = """\"\"\"Enumerations, structs and constants of the contracts.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
\"\"\"

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from radledger.chain.enumeration import Enumeration
from radledger.chain.typed_data import Fields
"""
MEMBERS = """\"\"\"The members of the contracts' enumerations, which an ABI does not name.

Written by ``tools/generate_bindings.py``; edit the contracts instead.
\"\"\"

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ENUMERATIONS"]

ENUMERATIONS: Final[Mapping[str, tuple[str, ...]]] = {{
{entries}}}
\"\"\"The members of each in words, in the chain's order, by the ABI's internal type.\"\"\"
"""
TYPED_DATA = """TYPED_DATA: Mapping[str, Fields] = {{
{entries}}}
\"\"\"The structs that are signed (EIP-712), field by field.\"\"\"
"""


def module_text(
    compiled: Sources, types: Mapping[str, Node], imported: Mapping[str, str], own: set[str]
) -> str:
    """Source text of one area's module.

    Parameters
    ----------
    compiled
        All sources.
    types
        A parameter of each enumeration and struct of the area, by internal type.
    imported
        The earlier area of each other enumeration and struct in its ABIs.
    own
        The sources whose constants the area has.
    """
    constants = [each for source in sorted(own) for each in compiled.constants(source)]
    signed = [match for each in constants if (match := SIGNED.fullmatch(each.hashed or ""))]
    members = [
        (_name(internal), _type_text(internal, types[internal], compiled.definition(internal)))
        for internal in types
    ]
    members += _constants(constants)
    if signed:
        members.append(("TYPED_DATA", TYPED_DATA.format(entries="".join(map(_signed, signed)))))
    names = [name for name, _ in members]
    if len({*names}) < len(names):
        sys.exit(f"two declarations of one area have the same name: {' '.join(sorted(names))}")
    imports = "".join(
        f"from radledger.{area}.bindings import {_name(internal)}\n"
        for internal, area in imported.items()
    )
    listed = "".join(f"    {name!r},\n" for name in names)
    bodies = "\n\n".join(text for _, text in members)
    return f"{HEADER}{imports}\n__all__ = [\n{listed}]\n\n{bodies}"


def _type_text(internal: str, parameter: Node, definition: Node) -> str:
    """Source text of an enumeration or a struct."""
    if internal.startswith(ENUMERATION):
        base = "Enumeration"
        lines = [f"{name} = {words!r}" for name, words in _members(definition)]
    else:
        base = "NamedTuple"
        fields = parameter["components"]
        lines = [f"{_field(field['name'])}: {_python_type(field)}" for field in fields]
    body = "\n".join(f"    {line}" for line in lines)
    return f"class {_name(internal)}({base}):\n{_docstring(definition)}\n\n{body}\n"


def _members(definition: Node) -> list[tuple[str, str]]:
    """Name and words of each member of an enumeration, in order."""
    names = [snake_case(member["name"]).upper() for member in definition["members"]]
    return [(name, name.lower().replace("_", " ")) for name in names]


def _python_type(parameter: Node) -> str:
    type_, *arrays = parameter["type"].split("[")
    if type_ == "tuple":
        python = _name(parameter["internalType"].split("[")[0])
    else:
        python = PYTHON_TYPES.get(type_, "bytes" if type_.startswith("bytes") else "int")
    for _ in arrays:
        python = f"tuple[{python}, ...]"
    return python


def _constants(constants: Iterable[Constant]) -> list[tuple[str, str]]:
    """Name and source text of a class for each contract that has constants to share."""
    texts: dict[str, str] = {}
    for each in constants:
        if not each.private:
            head = f'class {each.contract}:\n    """Constants of ``{each.source}``."""\n\n'
            texts.setdefault(each.contract, head)
            texts[each.contract] += f"    {each.name}: Final = {_literal(each.value)}\n"
    return list(texts.items())


def _signed(struct: re.Match[str]) -> str:
    """The entry of an EIP-712 struct: its name, then type and name of each field."""
    fields = tuple(tuple(field.split(" ")) for field in struct["fields"].split(","))
    return f"    {struct['name']!r}: {fields!r},\n"


def _name(internal: str) -> str:
    """``Kind`` of ``enum IImageRegistry.Kind``."""
    return re.split(r"[ .]", internal)[-1]


def _field(name: str) -> str:
    """The name of a struct's field in Python."""
    name = snake_case(name)
    return f"{name}_" if keyword.iskeyword(name) else name


def _docstring(definition: Node) -> str:
    """The notice of a declaration as the docstring of a class."""
    text = re.split(r"\n\s*@", definition["documentation"]["text"])[0].removeprefix("@notice")
    indent = "    "
    return textwrap.fill(
        f'"""{" ".join(text.split())}"""', 100, initial_indent=indent, subsequent_indent=indent
    )


def _literal(value: int | bytes) -> str:
    if isinstance(value, bytes):
        return f'bytes.fromhex("{value.hex()}")'
    if value >= 1 << 64 and not value & (value + 1):
        return f"2**{value.bit_length()} - 1"
    return f"{value:_}"


def wanted() -> dict[Path, str]:
    """Text of each module by its path."""
    compiled = Sources(compile_sources(sources(), ["abi"]))
    elsewhere: dict[str, str] = {}
    taken: set[str] = set()
    texts = {}
    for area in (each.name for each in AREAS):
        folder = f"contracts/{area}/"
        all_types, all_sources = compiled.types(folder), compiled.imported(folder)
        types = {name: all_types[name] for name in all_types if name not in elsewhere}
        imported = {name: elsewhere[name] for name in all_types if name in elsewhere}
        text = module_text(compiled, types, imported, all_sources - taken)
        texts[PACKAGE / area / "bindings.py"] = formatted(text)
        elsewhere |= dict.fromkeys(types, area)
        taken |= all_sources
    members = {
        internal: tuple(words for _, words in _members(compiled.definition(internal)))
        for internal in sorted(elsewhere)
        if internal.startswith(ENUMERATION)
    }
    entries = "".join(f"    {internal!r}: {words!r},\n" for internal, words in members.items())
    texts[PACKAGE / "chain" / "enumerations.py"] = formatted(MEMBERS.format(entries=entries))
    return texts


def main() -> None:
    """Write the modules, or with ``--check`` compare them."""
    texts = wanted()
    stale = [path for path in texts if not path.exists() or path.read_text("utf-8") != texts[path]]
    if "--check" in sys.argv[1:]:
        if stale:
            names = " ".join(path.relative_to(ROOT).as_posix() for path in stale)
            sys.exit(f"differ from the contracts: {names}; run python -m tools.generate_bindings")
        return
    for path in stale:
        path.write_text(texts[path], "utf-8")
    print(f"{len(texts)} modules, {len(stale)} written")


if __name__ == "__main__":
    main()
