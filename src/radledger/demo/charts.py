"""The two drawings of the page, as SVG."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radledger.demo.events import StoryEvent
    from radledger.demo.runner import Record

__all__ = ["LANES", "gas_by_function", "gas_chart", "timeline"]

LANES: Mapping[str, tuple[str, str]] = {
    "ParticipantRegistry": ("People", "people"),
    "IdentityRegistry": ("Identities", "identity"),
    "ImageRegistry": ("Images", "images"),
    "ConsentRegistry": ("Consent", "consent"),
    "DatasetRegistry": ("Data sets", "research"),
    "LocalToken": ("Payments", "money"),
}
"""Contract: what its lane is called, and the class of its colour."""

_LEFT, _STEP, _LANE, _TOP = 88, 15, 34, 40
_BAR_WIDTH, _BAR_STEP = 520, 40


def timeline(records: Sequence[Record], events: Sequence[StoryEvent]) -> str:
    """Steps from left to right, a lane for each contract, a mark for what it recorded."""
    lanes = [*LANES, "refused"]
    width = _LEFT + _STEP * (len(records) + 1)
    height = _TOP + _LANE * len(lanes) + 12
    rows = {name: _TOP + _LANE * (index + 0.5) for index, name in enumerate(lanes)}
    opening = (
        f'<svg class="timeline" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="timeline-title" style="min-width:{width * 4 // 5}px">'
        '<title id="timeline-title">Ledger events and refusals, step by step; '
        "the table below lists them</title>"
    )
    parts = [opening, *_chapter_bands(records, height)]
    for name, y in rows.items():
        label, kind = LANES.get(name, ("Refused", "refused"))
        parts.append(f'<text class="lane {kind}" x="0" y="{y + 4:g}">{label}</text>')
        parts.append(f'<line class="rail" x1="{_LEFT}" x2="{width}" y1="{y:g}" y2="{y:g}"/>')
    for step, contract, names in _marks(events):
        label = f"Step {step}: " + ", ".join(
            f"{count} {name}" if count > 1 else name for name, count in names.items()
        )
        radius = min(4 + 0.9 * (names.total() - 1) ** 0.5, 8)
        parts.append(
            f'<a href="#step-{step}"><circle class="{LANES[contract][1]}" cx="{_x(step)}" '
            f'cy="{rows[contract]:g}" r="{radius:.1f}"><title>{escape(label)}</title></circle></a>'
        )
    for record in records:
        if record.refused:
            label = f"Step {record.number}: {record.refused}"
            cross = f"M{_x(record.number) - 4} {rows['refused'] - 4:g}l8 8m0-8l-8 8"
            parts.append(
                f'<a href="#step-{record.number}"><path class="refused" d="{cross}">'
                f"<title>{escape(label)}</title></path></a>"
            )
    return "".join([*parts, "</svg>"])


def gas_by_function(records: Sequence[Record]) -> list[tuple[str, float, int]]:
    """Function, mean gas and how often, the most expensive first; creations are left out."""
    found: dict[str, list[int]] = defaultdict(list)
    for record in records:
        for each in record.transactions:
            if "." in each.function:
                found[each.function].append(each.gas)
    rows = [(name, sum(gas) / len(gas), len(gas)) for name, gas in found.items()]
    return sorted(rows, key=lambda row: -row[1])


def gas_chart(rows: Sequence[tuple[str, float, int]]) -> str:
    """A bar for each function, as long as its mean gas."""
    most = max(gas for _, gas, _ in rows)
    height = _BAR_STEP * len(rows)
    parts = []
    for index, (function, gas, count) in enumerate(rows):
        contract, _, name = function.partition(".")
        label, kind = LANES.get(contract, (contract, "people"))
        y = index * _BAR_STEP
        times = f" · {count} times" if count > 1 else ""
        length = max(4, _BAR_WIDTH * gas / most)
        parts.append(
            f'<text x="0" y="{y + 15}"><tspan class="{kind}">{escape(label)}</tspan> '
            f'{escape(name)}<tspan class="faint">{times}</tspan></text>'
            f'<text class="figure" x="{_BAR_WIDTH}" y="{y + 15}">{gas:,.0f}</text>'
            f'<rect class="rail" x="0" y="{y + 22}" width="{_BAR_WIDTH}" height="8" rx="4"/>'
            f'<rect class="{kind}" x="0" y="{y + 22}" width="{length:.1f}" height="8" rx="4"/>'
        )
    return (
        f'<svg class="gas" viewBox="0 0 {_BAR_WIDTH} {height}" role="img" '
        'aria-labelledby="gas-title"><title id="gas-title">Mean gas of each function</title>'
        f"{''.join(parts)}</svg>"
    )


def _x(step: int) -> int:
    return _LEFT + _STEP * step


def _marks(events: Sequence[StoryEvent]) -> Iterator[tuple[int, str, Counter[str]]]:
    """What each contract recorded in each step, where its lane is drawn."""
    found: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for each in events:
        if each.event.contract in LANES:
            found[each.step, each.event.contract][each.event.name] += 1
    for (step, contract), names in found.items():
        yield step, contract, names


def _chapter_bands(records: Sequence[Record], height: int) -> Iterator[str]:
    """A light band behind every other chapter, and the chapter's number above each."""
    chapters = list(dict.fromkeys(record.chapter for record in records))
    for index, chapter in enumerate(chapters):
        numbers = [record.number for record in records if record.chapter is chapter]
        x = _x(numbers[0]) - _STEP / 2
        width = _STEP * len(numbers)
        if index % 2 == 0:
            yield f'<rect class="band" x="{x}" y="0" width="{width}" height="{height}"/>'
        yield (
            f'<text class="chapter" x="{x + width / 2}" y="20">'
            f"<title>{escape(chapter.title)}</title>{index + 1}</text>"
        )
