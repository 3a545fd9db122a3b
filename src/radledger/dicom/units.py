"""Units of the Unified Code for Units of Measure, in which nothing but a unit is written.

The grammar lets an annotation in braces be any text, and a factor any number.  Only the words
of annotations in PS3.16 and in UCUM's own examples pass here, and short or round factors, so that
no name and no patient's number does.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

__all__ = ["is_unit"]

_LONGEST = 64
_ANNOTATION = re.compile(r"\{([^{}]*)\}")
_ALONE = re.compile(r"(?<![^./(])\{[^{}]*\}(?![^./)])")
_ANNOTATIONS = frozenset(
    """
    # 1.73 25cel 37cel 60 abnormal absorbance achr activity agatston aggregation ahf aps aru at
    atp bacteria basal baseline bce beat beats binding bio blockade blocked body bound breakdown
    breaths cae cag cell cells ch100 class clock co collection control copies count counts cpm
    creat ct cyt deficient delta dilution dose dry ehrlich eia ejaculate elisa entity eqv ev
    excretion feces fetal feu fiu fraction frames gaa genomes gf globules globulin gps ha hair
    hb hemolysis hits hu ifa immunecomplex index inhibition inr isr iu james128 janma jdf kct
    kronu log loss lyme lysis m.o.m m2 min minidrop mps mu mucosa mutation neutrophils nit
    normal od oif output pan particles penetration percentile phenotype pixels plasma platelet
    pooled positive propcounts prot protein pulses ratio rbc rbcs reactive recovery reference
    rel relative repeats residual response rgb risk rubella s saturation score sd shift shots
    slt specimen spermatozoa spots stdv suv suvbsa suvbw suvibw suvlbm time tis tissue titer
    tmstp tot total tscore tsi u unit uptake urea v val value viable virus vol volume voxels
    wbcs weight wet wetweight wt zscore
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
# "100ml" of PS3.16, older than its "[100]ml", is 100 times a millilitre without the point
_FACTOR = re.compile(r"(?<![0-9*^+\-\]A-Za-z'%_])(?:\[(100)\]|(100))(?=[A-Za-z\[])")
_SEPARATOR = re.compile(r"[_/'() ]")
_ROUND = re.compile(r"10*")
_SMALL = re.compile(r"[1-9][0-9]?|10{2,6}")
_SHORT = re.compile(r"[+-]?[0-9]{1,2}")


def is_unit(code: str) -> bool:
    """Whether a code is written in the grammar of UCUM, or as PS3.16 once wrote units.

    Examples
    --------
    >>> is_unit("10*-6.mm2/s"), is_unit("{SUVbw}g/ml"), is_unit("ml/100ml/s")
    (True, True, True)
    >>> is_unit("Doe Jane 4711"), is_unit("{Miller}"), is_unit("19500101")
    (False, False, False)
    """
    if not code or len(code) > _LONGEST or not code.isascii():
        return False
    if any(not _harmless(text) for text in _ANNOTATION.findall(code)):
        return False
    # alone an annotation is the unit 1, elsewhere it has no meaning; it stood before units once
    unit = _ANNOTATION.sub("", _ALONE.sub("1", code))
    unit = _FACTOR.sub(lambda found: f"{found[1] or found[2]}.", unit)
    numbers = _numbers(unit)
    return numbers is not None and sum(not _ROUND.fullmatch(each) for each in numbers) <= 1


def _harmless(annotation: str) -> bool:
    words = _SEPARATOR.split(annotation.casefold())
    return any(words) and _ANNOTATIONS.issuperset(filter(None, words))


def _numbers(unit: str) -> list[str] | None:
    """The factors of a unit that the grammar accepts; `None` if it does not, or they are long."""
    from lark.exceptions import LarkError

    try:
        tree = _parser().parse(unit)
    except LarkError:
        return None
    words = list(tree.scan_values(lambda word: word.type in ("FACTOR", "EXPONENT")))
    factors = [str(word) for word in words if word.type == "FACTOR"]
    exponents = [str(word) for word in words if word.type == "EXPONENT"]
    fits = all(map(_SMALL.fullmatch, factors)) and all(map(_SHORT.fullmatch, exponents))
    return factors if fits else None


@cache
def _parser() -> Any:
    from ucumvert import get_ucum_parser

    return get_ucum_parser()
