"""What a contract refused, for people: terms by name, times as dates, and what to do next.

A refusal's own message has the numbers that the contract gave, and its values have them too; to
read them takes what several packages know.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from radledger.chain.refusals.base import ContractError
from radledger.consent.diseases import decode_disease
from radledger.consent.duo import condition_names, purpose_names
from radledger.consent.scope import scope_name
from radledger.errors import RadLedgerError
from radledger.identity.roles import role_names
from radledger.imaging.model import Kind
from radledger.research.model import CLASSES, RULES

__all__ = ["humanize"]

_TIMES = {"deadline", "from", "latest", "readyAt", "seen", "signed", "since", "until"}
_SPANS = {"duration", "longest"}
_COUNTS = {"current", "epoch"}
# The last second that has a date; later ones stand for no end.
_LAST = 253_402_300_799
_PURPOSES = {"granted", "purposes", "used"}
# Where the contract's notice with its values in place does not read well.
_SENTENCES = {
    "IdentityThresholdOutOfRange": (
        "{threshold} of {guardians} guardians cannot be asked for; give at least one, and no more "
        "than there are"
    ),
    "ParticipantIsInstitution": (
        "{account} is an institution, or would be its own: it cannot be a member, nor leave"
    ),
    "ParticipantRolesNotPermitted": (
        "Roles that can be given here are {permitted}; asked for: {roles}"
    ),
}
_NEXT = {
    "ConsentAlreadyRequested": "wait for the answer",
    "ConsentBadSignature": "have it signed again",
    "ConsentConditionUnmet": "name what the use fulfils with --attribute, if it does",
    "ConsentDiseaseDiffers": "give --disease CODE@SALT as in the grant, if it is the same",
    "ConsentDiseaseInvalid": "give --disease with DS, and only without HMB and GRU",
    "ConsentExpired": "ask again with `radledger consent request`",
    "ConsentImageDisowned": "the patient can undo that with `radledger image acknowledge`",
    "ConsentNeverGranted": "ask with `radledger consent request`",
    "ConsentNotRequested": "list pending requests with `radledger consent list --requests`",
    "ConsentPeriodInvalid": "give an end that is later than the beginning and than now",
    "ConsentPurposeNotPermitted": "ask for it with `radledger consent request`",
    "ConsentRevoked": "ask again with `radledger consent request`",
    "ConsentSignatureExpired": "have it signed again",
    "DatasetBadSignature": "have a researcher of its institution sign it again",
    "DatasetHasNoContributors": "contribute first",
    "DatasetInstancesInvalid": "give --most-instances with per-instance, and with no other rule",
    "DatasetNotCurator": (
        "have a researcher of its institution contribute, or sign with `radledger dataset accept`"
    ),
    "DatasetSignatureExpired": "have a researcher of its institution sign it again",
    "DatasetWeightInvalid": "give --score where image sets are scored, and only there",
    "DatasetWeightsChanged": "look at it again with `radledger dataset show`",
    "ERC2771ForwarderExpiredRequest": "have it signed again",
    "ERC2771ForwarderInvalidSigner": "have it signed again",
    "ImageIsDisowned": "the patient can undo that with `radledger image acknowledge`",
    "ParticipantLacksRole": "see what an account may do with `radledger participant show`",
    "ParticipantNotAccredited": "have it admitted by an institution or a governor",
}


def humanize(error: RadLedgerError) -> str:
    """The message of an error; that of a contract's refusal with its values in words.

    Examples
    --------
    >>> from radledger.chain.refusals import ConsentPurposeNotPermitted
    >>> humanize(ConsentPurposeNotPermitted.of({"granted": 32, "used": 4}))[:73]
    'The use is not permitted: not all of its purposes are granted (granted CC'
    """
    if not isinstance(error, ContractError):
        return error.message
    try:
        return _sentence(error)
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        return error.message  # a relayer's word for it, with values of its own


def _sentence(error: ContractError) -> str:
    types = dict(error.parameters)
    words = {name: _word(types[name], name, value) for name, value in error.values.items()}
    if error.name in _SENTENCES and words.keys() == types.keys():
        return _SENTENCES[error.name].format(**words) + "."
    # What is a date now needs no unit.
    message = type(error).of(words).message.replace(" (Unix time)", "")
    hint = _NEXT.get(error.name)
    return f"{message.rstrip('.')}; {hint}" if hint else message


def _word(kind: str, name: str, value: Any) -> Any:
    """A value of a custom error by its ABI type and name."""
    if kind == "bytes13":
        return decode_disease(bytes.fromhex(value[2:])) or "none"
    if kind.startswith("uint") and name in _TIMES:
        if value > _LAST:
            return "no end"
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if kind == "uint16" and name not in _COUNTS:
        names = purpose_names(value) if name in _PURPOSES else condition_names(value)
        return ", ".join(names) or "none"
    if kind == "uint32" and name not in {"instances", "mostInstances", "weight"}:
        return ", ".join(role_names(value)) or "none"
    if kind == "uint40" and name in _SPANS:
        return f"{value} s"
    if name == "class":
        return dict(enumerate(CLASSES)).get(value, value)
    if name == "rule":
        return dict(enumerate(RULES)).get(value, value)
    if name == "kind":
        return dict(enumerate(Kind)).get(value, value)
    return scope_name(bytes.fromhex(value[2:])) if name == "scope" else value
