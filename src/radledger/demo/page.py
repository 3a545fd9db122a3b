"""The story as one web page: a single file, for a screen of any size and for paper."""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from radledger import __version__
from radledger.demo.charts import LANES, gas_by_function, gas_chart, timeline
from radledger.demo.events import StoryEvent, story_events
from radledger.demo.words import moment, short

if TYPE_CHECKING:
    from radledger.demo.runner import Record
    from radledger.demo.stage import Stage
    from radledger.demo.step import Chapter, Picture

__all__ = ["write_page"]

_ACTORS = {
    "stranger": "A stranger",
    "guardians": "Two guardians",
    "anybody": "Anybody",
    "time": "Time passes:",
}


def write_page(stage: Stage, records: Sequence[Record]) -> Path:
    """Write ``index.html`` into the stage's folder; everything is in it, nothing is loaded."""
    events = story_events(stage.ledger, records)
    path = stage.folder / "index.html"
    path.write_text(_page(stage, records, events), "utf-8")
    return path


def _page(stage: Stage, records: Sequence[Record], events: Sequence[StoryEvent]) -> str:
    blocks = [each.block for record in records for each in record.transactions]
    names = {str(account.address): f"the {name}" for name, account in stage.people.items()}
    chapters = list(dict.fromkeys(record.chapter for record in records))
    return Template(_resource("page.html")).substitute(
        style=_resource("page.css"),
        network=escape(f"{stage.environment.name}, chain {stage.ledger.chain_id}"),
        figures="\n".join(_figures(stage, records)),
        timeline=timeline(records, events),
        event_count=len(events),
        event_rows="\n".join(_event_row(each) for each in events),
        chapters="\n".join(
            _chapter(number, chapter, [r for r in records if r.chapter is chapter], names)
            for number, chapter in enumerate(chapters, 1)
        ),
        setup_gas=f"{records[0].gas:,}",
        gas_chart=gas_chart(gas_by_function(records[1:])),
        version=escape(__version__),
        date=f"{datetime.datetime.now(datetime.UTC):%d %B %Y}",
        seconds=f"{sum(record.seconds for record in records):.0f}",
        steps=len(records),
        chain_id=stage.ledger.chain_id,
        blocks=f"{min(blocks)} to {max(blocks)}",
    )


def _figures(stage: Stage, records: Sequence[Record]) -> Iterator[str]:
    sets = stage.images.list(patient=stage.address("patient"))
    refused = sum(record.refused is not None for record in records)
    transactions = sum(len(record.transactions) for record in records[1:])
    gas = f"{sum(r.gas for r in records[1:]) / 1e6:.1f}\N{NO-BREAK SPACE}million gas"
    for value, label in (
        (f"{sum(each.instances for each in sets)}", "DICOM objects anchored"),
        (f"{len(sets)}", "image sets"),
        (f"{len(records) - refused}", "steps done"),
        (f"{refused}", "attempts refused, each for the expected reason"),
        (f"{transactions}", f"transactions, {gas}"),
        (f"{stage.ether('patient')}", "Ether held by the patient"),
    ):
        yield f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"


def _event_row(each: StoryEvent) -> str:
    event = each.event
    contract = LANES.get(event.contract, (event.contract, ""))[0]
    return (
        f'<tr><td><a href="#step-{each.step}">{each.step}</a></td><td>{event.block}</td>'
        f"<td>{moment(event.timestamp)}</td><td>{escape(contract)}</td>"
        f"<td>{escape(event.name)}</td></tr>"
    )


def _chapter(
    number: int, chapter: Chapter, records: Sequence[Record], names: Mapping[str, str]
) -> str:
    steps = "\n".join(_step(record, names) for record in records)
    return (
        f'<section aria-labelledby="chapter-{number}">'
        f'<h2 id="chapter-{number}">{number}. {escape(chapter.title)}</h2>'
        f"<p>{escape(chapter.introduction)}</p>\n"
        f'<ol class="steps">\n{steps}\n</ol></section>'
    )


def _step(record: Record, names: Mapping[str, str]) -> str:
    outcome = record.outcome
    actor = _ACTORS.get(record.step.actor, f"The {record.step.actor}")
    actor = f'<span class="actor">{escape(actor)}</span>'
    if record.refused:
        kind = "step refusal"
        said = (
            f"<p>{actor} {escape(record.step.attempt)}</p>"
            f'<p><span class="verdict">Refused</span> <code>{escape(record.refused)}</code></p>'
            f'<p class="reason">{escape(_sentence(_named(outcome.text, names)))}</p>'
        )
    else:
        kind, said = "step", f"<p>{actor} {escape(outcome.text)}</p>"
    gas = f"{record.gas:,} gas" if record.gas else "no gas"
    return (
        f'<li class="{kind}" id="step-{record.number}">'
        f'<span class="number">{record.number}</span>'
        f'<div class="what">{said}{_pictures(outcome.pictures)}{_facts(record)}</div>'
        f'<div class="cost"><span>{gas}</span><br><span>{record.seconds:.1f} s</span></div></li>'
    )


def _named(text: str, names: Mapping[str, str]) -> str:
    """A message with people's names in the place of their addresses, and long hashes cut short."""
    for address, name in names.items():
        text = text.replace(address, name)
    return re.sub("0x[0-9a-f]{64}", lambda found: short(found[0]), text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _pictures(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    return f'<ul class="pictures">{"".join(map(_figure, pictures))}</ul>'


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.png).decode()
    kind = ' class="wide"' if picture.wide else ""
    return (
        f'<li{kind}><figure><div class="frame"><img src="data:image/png;base64,{data}" '
        f'alt="{escape(picture.caption)}"></div><figcaption>{escape(picture.caption)}'
        f"<span>{escape(picture.detail)}</span></figcaption></figure></li>"
    )


def _facts(record: Record) -> str:
    """The background of a step: its own details, what decided a refusal, its transactions."""
    facts = [*record.outcome.details]
    facts += [(name, str(value)) for name, value in record.values.items()]
    facts += [
        (each.function, f"{each.hash} · {each.gas:,} gas · sent by {each.sender}")
        for each in record.transactions
    ]
    if not facts:
        return ""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f'<details><summary>Details</summary><dl class="facts">{rows}</dl></details>'


def _resource(name: str) -> str:
    return resources.files("radledger.demo").joinpath(name).read_text("utf-8")
