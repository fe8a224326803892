"""`sync --dry-run`: what a sync would do, and about how long and how large, before any work.

Files are compared as `sync` compares them. Passages, pages, time and room are estimated from a few
files that are read, chosen over all sizes, and from how fast the encoder is on some of their
passages, by the character. Law: writes nothing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ragstone.applications.sync_plan import make_plan
from ragstone.applications.sync_read import Part, ReadFile, read_files
from ragstone.applications.sync_scan import FoundFile, scan
from ragstone.corpus import Store
from ragstone.documents import embedding_text
from ragstone.protocols import Encoder
from ragstone.types import Document, Failure, Passage

SAMPLED_FILES = 12
LARGEST_SAMPLED = 4 << 20  # bytes
SECONDS = 10.0  # at most, about, for the sample, if ...
LEAST_SAMPLED = 3  # ... so many files were read
_ENCODED = 64  # passages encoded to see how fast it is, taken evenly from all that were cut
_WRITING_S = 0.0008  # of a passage: its rows and its terms, beside reading and cutting
# Bytes on disk, fitted to 60,000 passages of technical documentation (bench/corpus_scale.py).
_PER_CHARACTER, _PER_DIMENSION, _PER_PASSAGE, _PER_DOCUMENT = 1.4, 2.1, 350.0, 850.0
_PAGES = frozenset({"page", "slide", "sheet"})


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a sync would do. `passages`, `pages`, `seconds` and `growth_bytes` are estimates."""

    new: int
    changed: int
    removed: int
    renamed: int
    unchanged: int
    size_bytes: int  # of the files that would be read
    pages: int
    passages: int
    seconds: float
    growth_bytes: int
    sampled: int  # files read for the estimate
    failed: tuple[Failure, ...]  # could not be looked at, or failed in the sample


@dataclass(slots=True)
class _Sample:
    """Sums over the files of one ending."""

    files: int = 0
    size_bytes: int = 0
    characters: int = 0  # of the texts
    embedded: int = 0  # of what is embedded: passages with title and headings in front
    documents: int = 0
    pages: int = 0
    passages: int = 0
    reading_s: float = 0.0  # waiting for documents
    cutting_s: float = 0.0


def estimate(
    store: Store | None,
    paths: Iterable[str | Path],
    *,
    encoder: Encoder,
    read: ReadFile,
    chunk: Callable[[Document], Sequence[Passage]],
    recipe: str = "",
    workers: int = 1,
    confirm_missing: bool = False,
    retry_failed: bool = False,
    follow_links: bool = False,
    reader: str = "",
) -> Estimate:
    """Compare, sample, multiply; `store` is None where there is no corpus yet.

    Raises as `sync` does for a missing path or root.
    """
    plan = make_plan(
        store.ledger() if store else None, scan(paths, follow_links=follow_links), recipe=recipe,
        confirm_missing=confirm_missing, attempt=f"{recipe} {reader}", retry_failed=retry_failed,
    )  # fmt: skip
    failed = [Failure(f.path, f.reason, f.remedy) for f in plan.failed]
    samples: dict[str, _Sample] = defaultdict(_Sample)
    texts: list[str] = []
    chosen = _chosen(plan.to_read)
    failed += _sampled(chosen, samples, texts, read, chunk, min(workers, 1))
    per_character = _encoding_seconds(encoder, texts)
    whole = _summed(samples.values())
    pages = passages = characters = embedded = documents = preparing = 0.0
    for ending, size in _sizes(plan.to_read).items():
        one = samples[ending] if samples[ending].size_bytes else whole
        if one.size_bytes:
            factor = size / one.size_bytes
            pages += factor * one.pages
            passages += factor * one.passages
            characters += factor * one.characters
            embedded += factor * one.embedded
            documents += factor * one.documents
            preparing += factor * (one.reading_s / max(1, workers) + one.cutting_s)
    preparing += passages * _WRITING_S
    return Estimate(
        plan.new - len(plan.renames), len(plan.to_read) - plan.new,
        len(plan.missing) - len(plan.renames), len(plan.renames), len(plan.unchanged),
        plan.size_bytes, round(pages), round(passages),
        round(max(preparing, embedded * per_character), 1),  # they go on side by side
        round(
            _PER_CHARACTER * characters
            + passages * (_PER_DIMENSION * encoder.dim + _PER_PASSAGE)
            + documents * _PER_DOCUMENT
        ),
        sum(sample.files for sample in samples.values()), tuple(failed),
    )  # fmt: skip


def _chosen(files: Sequence[FoundFile]) -> list[FoundFile]:
    """Some files of each ending, over all sizes; those too large for a sample left out."""
    by_ending: dict[str, list[FoundFile]] = defaultdict(list)
    for file in files:
        if 0 < file.size <= LARGEST_SAMPLED:
            by_ending[_ending(file)].append(file)
    if not by_ending:
        return list(files[:1])
    each = max(1, SAMPLED_FILES // len(by_ending))
    chosen: list[FoundFile] = []
    for group in sorted(by_ending.values(), key=len, reverse=True)[:SAMPLED_FILES]:
        group.sort(key=lambda file: (file.size, file.path))
        step = len(group) / min(each, len(group))
        chosen += [group[int(step * (at + 0.5))] for at in range(min(each, len(group)))]
    return chosen


def _sampled(
    files: Sequence[FoundFile],
    samples: dict[str, _Sample],
    texts: list[str],
    read: ReadFile,
    chunk: Callable[[Document], Sequence[Passage]],
    workers: int,
) -> list[Failure]:
    """Read files, add what they hold to `samples` and `texts`; those that failed."""
    failed: list[Failure] = []
    if not files:
        return failed
    # Read once more before the others, unmeasured: a worker needs its time to start.
    first = min(files, key=lambda file: file.size)
    order = [first, *files]
    begun = since = time.monotonic()
    at, one = 0, _Sample()
    with closing(read_files([f.path for f in order], read=read, workers=workers)) as messages:
        for message in messages:
            one.reading_s += time.monotonic() - since
            since = time.monotonic()
            if isinstance(message, Part):
                for document in message.documents:
                    _count(one, document, chunk(document), texts if at else [])
                one.cutting_s += time.monotonic() - since
            else:
                if at and message.failed:
                    failed.append(Failure(message.path, message.reason, message.remedy))
                if at:
                    one.files, one.size_bytes = 1, order[at].size
                    ending = _ending(order[at])
                    samples[ending] = _summed([samples[ending], one])
                else:
                    begun = time.monotonic()
                at, one = at + 1, _Sample()
                if time.monotonic() - begun > SECONDS and at > LEAST_SAMPLED:
                    break
            since = time.monotonic()
    return failed


def _count(one: _Sample, document: Document, passages: Sequence[Passage], texts: list[str]) -> None:
    held = [embedding_text(document.title, passage) for passage in passages]
    texts += held
    one.documents += 1
    one.passages += len(passages)
    one.characters += len(document.text)
    one.embedded += sum(map(len, held))
    one.pages += sum(element.kind in _PAGES for element in document.elements)


def _encoding_seconds(encoder: Encoder, texts: Sequence[str]) -> float:
    """Seconds for a character of what is embedded."""
    if not texts:
        return 0.0
    step = len(texts) / min(_ENCODED, len(texts))
    some = [texts[int(step * (at + 0.5))] for at in range(min(_ENCODED, len(texts)))]
    encoder.encode_passages(some[:1])  # the first call also opens the model
    started = time.monotonic()
    encoder.encode_passages(some)
    return (time.monotonic() - started) / max(1, sum(map(len, some)))


def _summed(samples: Iterable[_Sample]) -> _Sample:
    total = _Sample()
    for one in samples:
        for name in _Sample.__slots__:
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return total


def _sizes(files: Iterable[FoundFile]) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for file in files:
        sizes[_ending(file)] += file.size
    return sizes


def _ending(file: FoundFile) -> str:
    return Path(file.path).suffix.lower()
