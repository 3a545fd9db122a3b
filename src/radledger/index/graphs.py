"""A lineage as a picture, for Graphviz or as PNG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from radledger.index.errors import GraphsNotInstalled
from radledger.index.lineage import kinds
from radledger.texts import one_line

if TYPE_CHECKING:
    from radledger.index.lineage import Lineage, Link, Node

__all__ = ["to_dot", "write_png"]

_TALLEST = 200
_MOST_LETTERS = 60


def to_dot(lineage: Lineage) -> str:
    """A lineage in Graphviz's DOT language.

    Examples
    --------
    >>> from radledger.index.lineage import Lineage, Link, Node
    >>> images = (Node("0x01", "image set", {}), Node("0x02", "image set", {}))
    >>> became = Link("0x01", "0x02", "became", {"kind": "deidentified"})
    >>> print(to_dot(Lineage("0x01", images, (became,))).splitlines()[-2])
      "0x01" -> "0x02" [label="became deidentified"];
    """
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box, style=filled];"]
    for node in lineage.nodes:
        pen = 3 if node.id == lineage.start else 1
        colour = kinds()[node.kind].colour
        attributes = f'label={_quoted(_label(node))}, fillcolor="{colour}", penwidth={pen}'
        lines.append(f"  {_quoted(node.id)} [{attributes}];")
    for link in lineage.links:
        ends = f"{_quoted(link.source)} -> {_quoted(link.target)}"
        lines.append(f"  {ends} [label={_quoted(_relation(link))}];")
    return "\n".join([*lines, "}"]) + "\n"


def write_png(lineage: Lineage, path: Path) -> None:
    """Draw a lineage, causes at the left and consequences at the right.

    Raises
    ------
    GraphsNotInstalled
        If networkx and matplotlib are not there.
    """
    try:
        import networkx
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise GraphsNotInstalled(
            f"a picture needs {error.name}; install it with `pip install 'radledger[graphs]'`, "
            "or give --dot"
        ) from error

    graph = networkx.DiGraph()
    graph.add_nodes_from(node.id for node in lineage.nodes)
    relations: dict[tuple[str, str], str] = {}
    for link in lineage.links:
        ends = (link.source, link.target)
        relations[ends] = "\n".join(filter(None, (relations.get(ends), _relation(link))))
    graph.add_edges_from(relations)
    # What a developer states of a training may close a circle, which has one rank.
    circles = networkx.condensation(graph)
    generations = [
        sorted(id_ for circle in ranked for id_ in circles.nodes[circle]["members"])
        for ranked in networkx.topological_generations(circles)
    ]
    for rank, ids in enumerate(generations):
        for id_ in ids:
            graph.nodes[id_]["rank"] = rank
    height = 1 + min(max(map(len, generations)), _TALLEST)
    figure = Figure(figsize=(3 + 3 * len(generations), height), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.margins(0.2)
    places = networkx.multipartite_layout(graph, subset_key="rank")
    networkx.draw_networkx_edges(graph, places, ax=axes, node_size=9000, edge_color="grey")
    networkx.draw_networkx_edge_labels(graph, places, relations, ax=axes, font_size=6)
    for node in lineage.nodes:
        box = {
            "boxstyle": "round",
            "facecolor": kinds()[node.kind].colour,
            "linewidth": 3 if node.id == lineage.start else 1,
        }
        # Between dollar signs matplotlib would read a formula.
        label = {node.id: _label(node).replace("$", r"\$")}
        networkx.draw_networkx_labels(graph, places, label, ax=axes, font_size=7, bbox=box)
    figure.savefig(path, format="png")


def _label(node: Node) -> str:
    """The label of a node: its kind, and what distinguishes it, in two lines."""
    id_ = node.id.partition("/")[0]
    label = kinds()[node.kind].label
    # A version's author chooses its name.
    named = one_line(label(node) if label else node.kind, _MOST_LETTERS)
    return f"{named}\n{id_[:8]}…{id_[-4:]}"


def _relation(link: Link) -> str:
    shown = link.details.get("kind") or link.details.get("class")
    return f"{link.relation} {shown}" if link.relation == "became" else _contributed(link, shown)


def _contributed(link: Link, contribution_class: str | None) -> str:
    if contribution_class is None:
        return link.relation
    state = link.details.get("state", "counted")
    ended = "" if state == "counted" else f", {state}"
    return f"{link.relation} ({contribution_class}{ended})"


def _quoted(text: str) -> str:
    """Escape a text for Graphviz, which interprets HTML entities."""
    return json.dumps(text.replace("&", "&amp;"), ensure_ascii=False)
