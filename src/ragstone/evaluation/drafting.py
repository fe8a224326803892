"""A starter question set from a corpus: drafts that a person edits, made without a model.

Templates over what a text says of itself: headings that ask, definitions ("X is a ..."), and
sentences with a number or a date whose subject is named. Each draft knows its document, the
sentence it came from, and that it is a draft. Law: deterministic for a seed; at most a few a
document, so that long documents do not rule the set.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ragstone.errors import UsageError
from ragstone.grounding.lexicon import FUNCTION_WORDS
from ragstone.text.sentences import sentence_spans
from ragstone.types import Document

PER_DOCUMENT = 3
_LONGEST = 200_000  # characters of a document that are looked at
_ASKS = re.compile(r"^(?:what|how|why|when|where|who|which|can|does|is|are|should)\b.*", re.I)
_DEFINITION = re.compile(
    r"^(?P<subject>(?:An?\s+|The\s+)?[A-Za-z][\w'’-]*(?:\s+[\w'’()-]+){0,4}?)\s+(?P<verb>is|are|was|were)\s+"
    r"(?:an?|the|one of)\s+\w+"
)
_WHEN = re.compile(
    r"^(?P<subject>(?:The\s+)?[A-Z][\w'’-]*(?:\s+[\w'’-]+){0,5}?)\s+(?P<verb>was|were)\s+"
    r"(?P<act>\w+ed|born|built|written|held|made|found|won|sold)\b.*\b(?:1[5-9]|20)\d\d\b"
)
_PRONOUN = re.compile(r"^(?:It|This|That|These|Those|They|He|She|We|There|Here|You|I|One)\b")


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that a template made, and where its answer should stand."""

    id: str
    question: str
    document_id: str
    answer: str  # the sentence it was made from
    kind: str  # heading, definition, date


def draft_questions(documents: Iterable[Document], *, most: int = 50, seed: int = 0) -> list[Draft]:
    """At most `most` drafts, spread over the documents, ordered by document."""
    found: list[Draft] = []
    seen: set[str] = set()
    for document in documents:
        drafts = [d for d in _of_document(document) if d.question.lower() not in seen]
        picked = random.Random(f"{seed}:{document.id}").sample(
            drafts, min(PER_DOCUMENT, len(drafts))
        )
        seen.update(draft.question.lower() for draft in picked)
        found += picked
    if len(found) > most:
        found = random.Random(seed).sample(found, most)
    found.sort(key=lambda draft: (draft.document_id, draft.question))
    return [
        Draft(f"draft-{number}", d.question, d.document_id, d.answer, d.kind)
        for number, d in enumerate(found, start=1)
    ]


def write_drafts(drafts: Iterable[Draft], folder: Path) -> None:
    """Write `queries.jsonl` and `qrels.tsv`. Raises UsageError rather than overwrite one."""
    folder.mkdir(parents=True, exist_ok=True)
    queries, qrels = folder / "queries.jsonl", folder / "qrels.tsv"
    for path in (queries, qrels):
        if path.exists():
            raise UsageError(
                f"{path} exists already.", remedy="Name another folder, or move the file away."
            )
    rows = list(drafts)
    lines = [
        json.dumps(
            {
                "id": draft.id,
                "question": draft.question,
                "answers": [draft.answer],
                "draft": True,
                "kind": draft.kind,
                "document": draft.document_id,
            },
            ensure_ascii=False,
        )
        for draft in rows
    ]
    queries.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    qrels.write_text(
        "".join(f"{draft.id}\t{draft.document_id}\t1\n" for draft in rows), encoding="utf-8"
    )


def _of_document(document: Document) -> Iterator[Draft]:
    for element in document.elements:
        if element.kind == "heading" and element.level > 1:
            heading = " ".join(element.span.of(document.text).split()).strip("# .:")
            if _ASKS.match(heading) and 3 <= len(heading.split()) <= 16:
                yield _draft(document, heading.rstrip("?") + "?", heading, "heading")
    text = document.text[:_LONGEST]
    for span in sentence_spans(text):
        sentence = " ".join(span.of(text).split())
        if not 30 <= len(sentence) <= 400 or _PRONOUN.match(sentence):
            continue
        match = _WHEN.match(sentence) or _DEFINITION.match(sentence)
        if match is not None and not _can_be_asked_for(match["subject"]):
            continue
        if match := _WHEN.match(sentence):
            subject = _lowered(match["subject"])
            question = f"When {match['verb']} {subject} {match['act']}?"
            yield _draft(document, question, sentence, "date")
        elif match := _DEFINITION.match(sentence):
            question = f"What {match['verb']} {_lowered(match['subject'])}?"
            yield _draft(document, question, sentence, "definition")


def _can_be_asked_for(subject: str) -> bool:
    """Whether a subject says by itself what it means: not "Because it", not "The following"."""
    words = [word.lower() for word in re.findall(r"[\w'’-]+", subject)]
    words = words[1:] if words[0] in {"the", "a", "an"} else words
    loose = FUNCTION_WORDS | {"following", "above", "former", "latter", "result", "goal", "idea"}
    return bool(words) and words[0] not in loose and words[-1] not in loose


def _draft(document: Document, question: str, answer: str, kind: str) -> Draft:
    return Draft("", question, document.id, answer, kind)


def _lowered(subject: str) -> str:
    """The subject with its article in small letters, which only began the sentence."""
    return re.sub(r"^(?:The|An?)\b", lambda article: article.group().lower(), subject)
