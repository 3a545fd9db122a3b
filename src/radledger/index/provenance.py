"""A lineage in W3C PROV, so that other systems understand it.

Image sets, data sets, payouts and the like are entities; what was recorded of each is an activity,
at the time of its block, by the agent who acted.  A data set's version is a collection of what was
part of it.

References
----------
.. [1] PROV-DM, W3C Recommendation, 2013: https://www.w3.org/TR/prov-dm/
.. [2] The PROV-JSON Serialization, W3C Member Submission, 2013
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from radledger.index.errors import GraphsNotInstalled
from radledger.index.lineage import kinds, prov_relations

if TYPE_CHECKING:
    from prov.model import ProvDocument

    from radledger.index.lineage import Lineage, Link, Node

__all__ = ["to_prov"]


def to_prov(lineage: Lineage, chain_id: int) -> ProvDocument:
    """A lineage as a PROV document; ``serialize(format="json")`` makes PROV-JSON of it.

    Parameters
    ----------
    lineage
        What to tell of.
    chain_id
        The chain's id (EIP-155), a part of every name in the document.

    Raises
    ------
    GraphsNotInstalled
        If the library prov is not there.
    """
    try:
        from prov.model import ProvDocument
    except ModuleNotFoundError as error:
        raise GraphsNotInstalled(
            "a PROV document needs prov; install it with `pip install 'radledger[graphs]'`"
        ) from error
    document = ProvDocument()
    document.add_namespace("radledger", "urn:radledger:term:")
    document.add_namespace("eip155", f"urn:radledger:eip155:{chain_id}:")
    for node in lineage.nodes:
        _add_node(document, node)
    for link in lineage.links:
        _add_link(document, link)
    return document


def _add_node(document: ProvDocument, node: Node) -> None:
    kind = kinds()[node.kind]
    name, details = _name(node.id), dict(node.details)
    seconds, transaction = details.pop("timestamp", None), details.pop("transaction", None)
    attributes: dict[str, Any] = {
        "prov:type": document.valid_qualified_name(f"radledger:{kind.prov_type}")
    }
    attributes |= {f"radledger:{key}": _value(value) for key, value in details.items()}
    if kind.collection:
        document.collection(name, attributes)
    else:
        document.entity(name, attributes)
    if seconds is None or kind.activity is None:
        return
    time = datetime.fromtimestamp(seconds, UTC)
    what = f"radledger:{kind.activity}"
    activity = f"eip155:activity-{node.id.replace('/', '-')}"
    recorded = {
        "prov:type": document.valid_qualified_name(what),
        "radledger:transaction": transaction,
    }
    document.activity(activity, time, time, recorded)
    document.wasGeneratedBy(name, activity, time)
    if kind.agent is not None:
        agent = f"eip155:{details[kind.agent]}"
        document.agent(agent)
        document.wasAssociatedWith(activity, agent)
        document.wasAttributedTo(name, agent)


def _add_link(document: ProvDocument, link: Link) -> None:
    source, target = _name(link.source), _name(link.target)
    relation = prov_relations().get(link.relation)
    if relation == "derivation":
        document.wasDerivedFrom(target, source)
    elif relation == "membership":
        document.hadMember(target, source)
    elif relation == "specialization":
        document.specializationOf(target, source)
    else:
        details = {f"radledger:{key}": _value(value) for key, value in link.details.items()}
        what = document.valid_qualified_name(f"radledger:{link.relation.replace(' ', '-')}")
        attributes: dict[Any, Any] = {"prov:type": what, **details}
        document.wasInfluencedBy(target, source, other_attributes=attributes)


def _name(id_: str) -> str:
    return "eip155:" + id_.replace("/", "-")


def _value(value: Any) -> Any:
    """A value for PROV-JSON; amounts are larger than its integers."""
    return value if isinstance(value, str | bool) else str(value)
