"""A follow-up that names only what changes ("and in 2019?", "what about Bergen?") put in the place
of its like in the question before.

Pure: two texts in, one out. A year takes the place of a year or a date, an amount that of an
amount of its kind, a name that of the one name (or of the one after the same preposition).
"""

from __future__ import annotations

import re

from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import Quantity, quantities_of
from ragstone.types import Span

_FRAGMENT = re.compile(
    r"\W*(?P<opener>(?:and|but|or|so|then|also|ok|okay)?,?\s*(?:what about|how about|what of"
    r"|(?:and )?how (?:does|do|did) (?:it|that|this|they|those) (?:compare|differ)(?:ed)?"
    r"|(?:please )?compare (?:it|that|this|them))?)\s*"
    r"(?:(?P<preposition>in|for|on|at|of|by|from|to|with|during|since|until|after|before)\s+)?"
    r"(?:the\s+)?(?P<named>[^?!.,;:]{1,60}?)\s*(?:then|instead|too)?\s*[?.!]*\s*",
    re.IGNORECASE,
)
_LONGEST = 5  # words: what is longer is a question of its own
_ASKS = re.compile(
    r"\b(?:who|what|when|where|which|why|how|is|are|was|were|do|does|did|has|have|had|can|could|will"
    r"|would|should|it|they|he|she|this|that|these|those|one|ones|same)\b",
    re.IGNORECASE,
)
_OWNED = ("'s", "’s")
_TIMES = frozenset({"year", "date"})


def substituted(said: str, asked: str) -> str:
    """The question `asked` about what `said` names instead; "" where nothing tells its place."""
    match = _FRAGMENT.fullmatch(said)
    if match is None or not asked.strip():
        return ""
    named = match["named"].strip()
    if len(named.split()) > _LONGEST or _ASKS.search(named):
        return ""
    preposition = (match["preposition"] or "").lower()
    place = _of_quantity(named, asked)
    if place is None and (preposition or match["opener"].strip(" ,")):  # not a mere "Bergen"
        place = _of_name(named, asked, preposition)
    if place is not None:
        owned = asked[place.start : place.end].endswith(_OWNED) and named[-2:] not in _OWNED
        return f"{asked[: place.start]}{named}{chr(39) + 's' if owned else ''}{asked[place.end :]}"
    spoken = quantities_of(named)
    whole = len(spoken) == 1 and len(spoken[0].text) >= len(named) - 3
    if whole and spoken[0].kind in _TIMES:
        stem = asked.rstrip(" ?.!")
        return f"{stem} {preposition or 'in'} {named}{asked[len(stem) :]}"
    return ""


def _of_quantity(named: str, asked: str) -> Span | None:
    """The place of the one quantity that is of the kind of what is named, if that is one."""
    spoken = quantities_of(named)
    if len(spoken) != 1 or len(spoken[0].text) < len(named) - 3:
        return None
    like = [known for known in quantities_of(asked) if _alike(spoken[0], known)]
    return Span(like[0].start, like[0].end) if len(like) == 1 else None


def _alike(one: Quantity, other: Quantity) -> bool:
    if one.kind in _TIMES:
        return other.kind in _TIMES
    return one.kind == other.kind and one.unit == other.unit


def _of_name(named: str, asked: str, preposition: str) -> Span | None:
    """The place of the one name, or of the one after the same preposition, if a name is given."""
    given = [name for name in names_of(named) if name.terms]
    if len(given) != 1 or given[0].text != named:
        return None
    names = [name for name in names_of(asked) if name.terms and not name.weak]
    if preposition:
        after = re.compile(rf"\b{preposition}\s+(?:the\s+)?$", re.IGNORECASE)
        names = [name for name in names if after.search(asked[: name.start])] or names
    return Span(names[0].start, names[0].end) if len(names) == 1 else None
