"""Which question the nearest passages could answer, said where the one asked has no answer.

Law: a suggestion is made of a sentence, a heading, a title or a word that stands in a hit, and
never of text that speaks to a model.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from ragstone.grounding.candidates import asks
from ragstone.grounding.instructions import addresses_model
from ragstone.grounding.lexicon import FUNCTION_WORDS, PRONOUNS
from ragstone.grounding.words import terms_of, words_of
from ragstone.text.sentences import sentence_spans
from ragstone.text.wording import called
from ragstone.types import Hit

_LOOKED_AT = 3  # hits; what comes later is hardly near the question
_MOST_WORDS = 8
_ALIKE = 0.8  # of two spellings (difflib's ratio): "Falsk" has .8, "Norway" for "Norwegian" .67
_LEAST_LETTERS = 5  # a shorter word is near too many others
_DEFINITION = re.compile(
    r"^(?P<subject>(?:The |An? )?[\w][\w’'&. -]{1,60}?) (?P<verb>is|are|was|were) "
    r"(?:an?|the|one of|any|part of) "
)


def could_answer(terms: frozenset[str], hits: Sequence[Hit]) -> str:
    """A question that the nearest passages answer, of a subject half of whose words are in the
    one asked; that the document around it shares a word with it tells nothing.

    "" where there is none: what else the documents hold is no help to who asked about this.
    """
    made = (made for hit in hits[:_LOOKED_AT] for made in (*_questions(hit), *_whole(hit)))
    return next((q for q, of in made if _shares(of, terms) and not addresses_model(q)), "")


def respelled(question: str, absent: Sequence[str], hits: Sequence[Hit]) -> str:
    """The question with each of the `absent` words exchanged for one of the hits that is spelled
    nearly alike; "" where one has no such word, or only looks like another's inflection."""
    if not absent:
        return ""
    spelled = {
        word.text.casefold(): word.text
        for hit in hits
        for word in words_of(f"{hit.document.title} {hit.passage.text}")
    }
    for wrong in absent:
        near = difflib.get_close_matches(wrong.casefold(), spelled, n=1, cutoff=_ALIKE)
        if len(wrong) < _LEAST_LETTERS or not wrong.isalpha() or not near:
            return ""
        right = spelled[near[0]] if wrong != wrong.lower() else near[0]
        question = re.sub(rf"\b{re.escape(wrong)}\b", right, question)
    return question


def _shares(subject: str, terms: frozenset[str]) -> bool:
    named = terms_of(subject)
    return bool(named & terms) and 2 * len(named & terms) >= len(named)


def _whole(hit: Hit) -> Iterator[tuple[str, str]]:
    """The question for the whole document, with its subject. A form's cover ("UNITED STATES") is
    no title to ask for."""
    title = _title(hit)
    if asks(title):
        yield title, title
    elif 0 < len(words_of(title)) <= _MOST_WORDS:
        yield f"What does “{title}” say?", title


def _title(hit: Hit) -> str:
    title = " ".join(hit.document.title.split())
    return title if called(title, hit.document.source) == title else ""


def _questions(hit: Hit) -> Iterator[tuple[str, str]]:
    """Questions for a definition in the passage and for its headings, with their subjects."""
    text = hit.passage.text
    for span in sentence_spans(text, 0, len(text)):
        sentence = " ".join(span.of(text).split())
        match = _DEFINITION.match(sentence)
        if match is not None and not addresses_model(sentence) and _names(match["subject"]):
            yield f"What {match['verb']} {_lowered(match['subject'])}?", match["subject"]
    title = _title(hit)
    for heading in reversed(hit.passage.heading_path):
        heading = " ".join(heading.split())
        if asks(heading) and len(words_of(heading)) <= 2 * _MOST_WORDS:
            yield heading, heading
        elif heading != title and 0 < len(words_of(heading)) <= _MOST_WORDS:
            about = f" in “{title}”" if 0 < len(words_of(title)) <= _MOST_WORDS else ""
            yield f"What is said under “{heading}”{about}?", heading


def _names(subject: str) -> bool:
    """Whether a subject can be asked for by itself: no pronoun, not too long, some content."""
    words = [word.text.lower() for word in words_of(subject)]
    content = any(word not in FUNCTION_WORDS for word in words)
    return content and len(words) <= _MOST_WORDS and not PRONOUNS.intersection(words[:2])


def _lowered(subject: str) -> str:
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first in {"The", "A", "An"} else subject
