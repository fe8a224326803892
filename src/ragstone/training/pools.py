"""Open question sets as pools of hits, for training and measuring what works on hits.

A data set folder is BEIR's form (`corpus.jsonl.gz`, `queries.jsonl.gz`, `qrels.tsv`). Hits are
those of the shipped retriever over a synced corpus (`open_pool`), or of a plain BM25 (Robertson
and Zaragoza 2009) over the indexes' own terms where a recipe should need no corpus on disk
(`read_pool`). Nothing read here is ever written into the package.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ragstone.corpus import Store
from ragstone.protocols import Encoder
from ragstone.retrieval.retrievers import retriever
from ragstone.text.analysis import analyse, analyse_question
from ragstone.text.sentences import sentence_spans
from ragstone.types import Document, DocumentInfo, Hit, Passage, Span

Row: TypeAlias = Mapping[str, object]

_PASSAGE_CHARACTERS = 1_000  # long documents are cut at sentence ends near this length


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a set. `gold` maps document ids to the offsets of answers in them,
    where the set gives any; an unanswerable question has no answers."""

    id: str
    question: str
    answers: tuple[str, ...]
    gold: Mapping[str, tuple[int, ...]]
    group: str  # questions of one group share documents: never split them over folds
    unanswerable: bool = False  # the set says so


@dataclass(frozen=True, slots=True)
class Pool:
    """A set's documents and passages, a way to find passages, and its questions."""

    name: str
    documents: Mapping[str, Document]
    passages: Sequence[Passage]
    questions: Sequence[Asked]
    search: Callable[[str, int], list[Hit]]  # question and k to the best k passages
    infos: Mapping[str, DocumentInfo] = field(default_factory=dict)

    def hits(self, question: str, k: int) -> list[Hit]:
        """The best `k` passages."""
        return self.search(question, k)

    def document(self, document_id: str) -> Document:
        return self.documents[document_id]


@dataclass(frozen=True, slots=True)
class _Found:
    """Hits by BM25 alone."""

    index: BM25
    passages: Sequence[Passage]
    infos: Mapping[str, DocumentInfo]

    def __call__(self, question: str, k: int) -> list[Hit]:
        found = self.index.search(question, k)
        return [
            Hit(passage, self.infos[passage.document_id], score, rank, {"bm25": score})
            for rank, (place, score) in enumerate(found, start=1)
            for passage in (self.passages[place],)
        ]


class BM25:
    """Okapi BM25 with k1 = 1.2 and b = 0.75 over `analyse`'s terms, in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        postings: dict[str, tuple[list[int], list[int]]] = {}
        lengths = np.zeros(len(texts))
        for place, text in enumerate(texts):
            counts: dict[str, int] = {}
            for term in analyse(text):
                counts[term] = counts.get(term, 0) + 1
            lengths[place] = sum(counts.values())
            for term, count in counts.items():
                places, often = postings.setdefault(term, ([], []))
                places.append(place)
                often.append(count)
        self._norm = 1.2 * (0.25 + 0.75 * lengths / max(1.0, float(lengths.mean())))
        self._postings = {
            term: (np.array(places), np.array(often, dtype=np.float64))
            for term, (places, often) in postings.items()
        }
        self._total = len(texts)

    def idf(self, term: str) -> float:
        """ln(1 + (N - df + 0.5) / (df + 0.5))."""
        count = len(self._postings[term][0]) if term in self._postings else 0
        return math.log(1.0 + (self._total - count + 0.5) / (count + 0.5))

    def search(self, question: str, k: int) -> list[tuple[int, float]]:
        """Places and scores of the best `k` texts, best first, none without a term in common."""
        scores: npt.NDArray[np.float64] = np.zeros(self._total)
        for term in analyse_question(question):
            if term in self._postings:
                places, often = self._postings[term]
                scores[places] += self.idf(term) * often * 2.2 / (often + self._norm[places])
        top = np.argsort(-scores, kind="stable")[:k]
        return [(int(place), float(scores[place])) for place in top if scores[place] > 0]


def rows(path: Path) -> Iterator[Row]:
    """The rows of a `.jsonl.gz` file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def read_pool(folder: Path) -> Pool:
    """Read a data set folder. Long documents become passages of about 1,000 characters."""
    documents: dict[str, Document] = {}
    passages: list[Passage] = []
    for row in rows(folder / "corpus.jsonl.gz"):
        document = Document(
            id=str(row["id"]),
            source=str(row["id"]),
            title=str(row.get("title") or ""),
            text=str(row["text"]),
            format="text",
        )
        documents[document.id] = document
        passages += cut(document)
    infos = {id: info_of(document) for id, document in documents.items()}
    texts = [f"{documents[p.document_id].title}\n{p.text}" for p in passages]
    found = _Found(BM25(texts), passages, infos)
    return Pool(folder.name, documents, passages, list(_questions(folder, documents)), found, infos)


@contextmanager
def open_pool(folder: Path, corpus: Path, encoder: Encoder) -> Iterator[Pool]:
    """A data set whose hits are those of the shipped retriever over `corpus`, the folder that
    `ragstone sync FOLDER/corpus.jsonl.gz --corpus CORPUS` wrote."""
    with Store.open(corpus, read_only=True) as store:
        snapshot = store.snapshot()
        try:
            found = retriever(snapshot, encoder, "hybrid")
            documents = {info.id: snapshot.document(info.id) for info in snapshot.documents()}
            yield Pool(
                folder.name,
                documents,
                (),
                list(_questions(folder, documents)),
                lambda question, k: found.retrieve(question, k=k),
            )
        finally:
            snapshot.close()


def cut(document: Document) -> list[Passage]:
    """Passages of whole sentences, each as long as fits 1,000 characters."""
    passages: list[Passage] = []
    start = end = -1
    for span in sentence_spans(document.text, 0, len(document.text)):
        if start >= 0 and span.end - start > _PASSAGE_CHARACTERS:
            passages.append(_passage(document, Span(start, end)))
            start = -1
        start = span.start if start < 0 else start
        end = span.end
    if start >= 0:
        passages.append(_passage(document, Span(start, end)))
    return passages


def info_of(document: Document) -> DocumentInfo:
    """What a corpus would know of the document."""
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    return DocumentInfo(
        document.id, document.source, document.title, document.format, {}, "", digest,
        len(document.text), 1, 1,
    )  # fmt: skip


def _passage(document: Document, span: Span) -> Passage:
    return Passage(document.id, span, span.of(document.text))


def _questions(folder: Path, documents: Mapping[str, Document]) -> Iterator[Asked]:
    judged: dict[str, list[str]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8") as lines:
        for line in lines:
            query, document, gain, *_ = [*line.rstrip("\n").split("\t"), "0"]
            if gain.isdigit() and int(gain) > 0:
                judged.setdefault(query, []).append(document)
    for row in rows(folder / "queries.jsonl.gz"):
        answers = _strings(row.get("answers"))
        starts = row.get("answer_starts")
        offsets = tuple(int(s) for s in starts) if isinstance(starts, list) else ()
        gold = row.get("gold_docs") or row.get("gold_doc") or judged.get(str(row["id"]), [])
        ids = [id for id in _strings(gold) if id in documents]
        unanswerable = bool(row.get("is_impossible")) or answers == ("Insufficient information.",)
        unanswerable = unanswerable or row.get("answerability") == "UNANSWERABLE"
        yield Asked(
            id=str(row["id"]),
            question=str(row["question"]),
            answers=() if unanswerable else answers,
            gold={id: offsets if len(ids) == 1 else () for id in ids},
            group=str(ids[0]).split("::")[0] if ids else str(row["id"]),
            unanswerable=unanswerable,
        )


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
