"""A question that needs several steps -> the questions it is made of, by rules.

Pure and for English: what is joined ("A or B", "A and B", "between A and B") gives one question
for each of the two; clauses joined by "while", "and whose", "compared to" and the like give one
each; a relative clause ("the director of the film that ...") is asked for itself. Law: every part
is made of words of the question, and a question without such marks has no parts.
"""

from __future__ import annotations

import re

from ragstone.grounding.lexicon import FUNCTION_WORDS
from ragstone.grounding.names import names_of
from ragstone.grounding.words import terms_of

MOST_PARTS = 4
_LEAST_TERMS = 2  # content terms that a part holds at least: fewer say nothing to search for
_CLAUSE_TERMS = 3  # of a clause, where its commas alone part it
_INNER = "on the of in at for a to de la le du der von van and & in with from"
_LINKS = frozenset(_INNER.split()) - {"and"}
_WORD = re.compile(r"[^\s,;:?!()]+")
_JOINER = re.compile(r"\s+(?:or|and|versus|vs\.?)\s+", re.IGNORECASE)
_CLAUSES = re.compile(
    r"[;:]\s+|,?\s+(?:while|whereas|compared (?:to|with)|as opposed to|in contrast to)\s+"
    r"|,\s+(?:and|but)\s+(?:also\s+)?|\s+and\s+(?=(?:who|whom|whose|what|when|where|which|why|how"
    r"|is|was|were|has|had|did|does|also|that|by)\b)"
    r"|,\s+(?=(?:is also|was also|who|whose|which|has|had|faces?|faced)\b)",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r",?\s*(?:according to|as (?:reported|discussed|covered|stated|detailed|mentioned) (?:by|in))\b"
    r"[^,?]*(?:,? and [^,?]*)?\??$",
    re.IGNORECASE,
)
_ASKS = re.compile(r"(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\b(?P<head>(?:the|an?)\s+(?:(?!and\b|or\b)[\w'’-]+\s+){1,5}?)(?:(?:in|of|to|for|on|by|with)\s+)?"
    r"(?:who|that|which|whose|whom|where)\s+(?P<rest>[^,;?]+)",
    re.IGNORECASE,
)


def parts(question: str) -> tuple[str, ...]:
    """The questions that `question` is made of, two to four; none where it is one question."""
    text = " ".join(question.split())
    for found in (_joined(text), _clauses(text), _relative(text)):
        distinct = list(dict.fromkeys(part for part in found if _tells(part, _LEAST_TERMS)))
        if len(distinct) >= 2:
            return tuple(distinct[:MOST_PARTS])
    return ()


def _joined(text: str) -> list[str]:
    """ "A or B" -> the question about A alone and the question about B alone."""
    for match in _JOINER.finditer(text):
        left, right = _before(text, match.start()), _after(text, match.end())
        if left < 0 or right < 0:
            continue
        one, other = text[left : match.start()], text[match.end() : right]
        if one.casefold() == other.casefold() or _is_one_name(text, left, right):
            continue
        about_one = f"{text[: match.start()]}{text[right:]}"
        about_other = f"{text[:left]}{text[match.end() :]}"
        return [_tidy(about_one), _tidy(about_other)]
    return []


def _before(text: str, end: int) -> int:
    """Where the capitalised phrase that ends at `end` begins; -1 where none does."""
    start, edge = -1, end
    for match in reversed(list(_WORD.finditer(text, 0, end))):
        word = match.group()
        opens = match.start() == 0 and word.lower() in FUNCTION_WORDS
        if text[match.end() : edge].strip() or opens:
            break
        edge = match.start()
        if word[0].isupper() or word[0].isdigit() or word[0] in "\"'“‘":
            start = edge
        elif start < 0 or word.lower() not in _LINKS:
            break
    return start


def _after(text: str, start: int) -> int:
    """Where the capitalised phrase that begins at `start` ends; -1 where none does."""
    end, edge = -1, start
    for match in _WORD.finditer(text, start):
        word = match.group()
        if text[edge : match.start()].strip():
            break
        edge = match.end()
        if word[0].isupper() or word[0].isdigit() or word[0] in "\"'“‘":
            end = edge
        elif (end < 0 and word.lower() != "the") or (end >= 0 and word.lower() not in _LINKS):
            break
    return end


def _is_one_name(text: str, start: int, end: int) -> bool:
    """Whether quotation marks hold both sides together: "First for Women and Men"."""
    inside = text[start:end]
    return inside.count('"') == 1 or inside.count("“") != inside.count("”")


def _clauses(text: str) -> list[str]:
    """Clauses that could each be asked alone, with the names of the first where one has none."""
    bare = _SOURCE.sub("", text).rstrip(" ?.")
    pieces = [piece.strip(" ,") for piece in _CLAUSES.split(bare) if piece]
    pieces = [piece for piece in pieces if _tells(piece, _clause_terms(piece))]
    if len(pieces) < 2:
        return []
    about = [name.text for name in names_of(pieces[0]) if name.terms and not name.weak][:2]
    return [
        pieces[0],
        *(
            piece if any(not name.weak for name in names_of(piece)) else _named(piece, about)
            for piece in pieces[1:]
        ),
    ]


def _clause_terms(piece: str) -> int:
    """Content terms that a clause needs to be asked alone; fewer where it asks by itself."""
    return 2 if _ASKS.match(piece) else _CLAUSE_TERMS


def _named(piece: str, about: list[str]) -> str:
    return f"{piece} ({', '.join(about)})" if about else piece


def _relative(text: str) -> list[str]:
    """What a relative clause asks, and the question without it."""
    match = _RELATIVE.search(text)
    if match is None:
        return []
    inner = f"{match['head']}{match['rest']}".strip()
    outer = _tidy(f"{text[: match.start()]}{match['head']}{text[match.end() :]}")
    named = any(not name.weak for name in names_of(outer))
    return [inner, outer if named else text]


def _tells(part: str, least: int) -> bool:
    return len(terms_of(part)) >= least


def _tidy(text: str) -> str:
    text = re.sub(r"\b(both|between|either)\s+", "", " ".join(text.split()))
    return re.sub(r"\s+([,?.!])", r"\1", text).strip(" ,")
