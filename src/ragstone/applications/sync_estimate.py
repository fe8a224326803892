"""`sync --dry-run`: what a sync would do, and about how long and how large, before any work.

Files are compared as `sync` compares them. Passages, pages, time and room are estimated from a few
files that are read, chosen over all sizes, and from how fast the encoder is on their passages. Law:
writes nothing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragstone.applications.sync_plan import make_plan
from ragstone.applications.sync_read import Part, ReadFile, read_files
from ragstone.applications.sync_scan import FoundFile, scan
from ragstone.corpus import Store
from ragstone.protocols import Encoder
from ragstone.types import Document, Failure, Passage

SAMPLED_FILES = 12
LARGEST_SAMPLED = 4 << 20  # bytes
SECONDS = 10.0  # at most, about, for the sample
_ENCODED = 24  # passages encoded to see how fast it is
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
    characters: int = 0
    documents: int = 0
    pages: int = 0
    passages: int = 0
    seconds: float = 0.0


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
    started = time.monotonic()
    for file in _chosen(plan.to_read):
        if time.monotonic() - started > SECONDS:
            break
        failed += _sample(file, samples[_ending(file)], texts, read, chunk, workers)
    per_passage = _encoding_seconds(encoder, texts)
    whole = _summed(samples.values())
    pages = passages = characters = documents = seconds = 0.0
    for ending, size in _sizes(plan.to_read).items():
        one = samples[ending] if samples[ending].size_bytes else whole
        if one.size_bytes:
            factor = size / one.size_bytes
            pages += factor * one.pages
            passages += factor * one.passages
            characters += factor * one.characters
            documents += factor * one.documents
            seconds += factor * one.seconds / max(1, workers)
    return Estimate(
        plan.new - len(plan.renames), len(plan.to_read) - plan.new,
        len(plan.missing) - len(plan.renames), len(plan.renames), len(plan.unchanged),
        plan.size_bytes, round(pages), round(passages),
        round(max(seconds, passages * per_passage), 1),
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


def _sample(
    file: FoundFile,
    sample: _Sample,
    texts: list[str],
    read: ReadFile,
    chunk: Callable[[Document], Sequence[Passage]],
    workers: int,
) -> list[Failure]:
    started = time.monotonic()
    failed: list[Failure] = []
    for message in read_files([file.path], read=read, workers=min(workers, 1)):
        if isinstance(message, Part):
            for document in message.documents:
                passages = chunk(document)
                sample.documents += 1
                sample.passages += len(passages)
                sample.characters += len(document.text)
                sample.pages += sum(element.kind in _PAGES for element in document.elements)
                if len(texts) < _ENCODED:
                    texts += [p.text for p in passages[: _ENCODED - len(texts)]]
        elif message.failed:
            failed.append(Failure(message.path, message.reason, message.remedy))
    sample.files += 1
    sample.size_bytes += file.size
    sample.seconds += time.monotonic() - started
    return failed


def _encoding_seconds(encoder: Encoder, texts: Sequence[str]) -> float:
    if not texts:
        return 0.0
    encoder.encode_passages(texts[:1])  # the first call also opens the model
    started = time.monotonic()
    encoder.encode_passages(texts)
    return (time.monotonic() - started) / len(texts)


def _summed(samples: Iterable[_Sample]) -> _Sample:
    total = _Sample()
    for one in samples:
        total.files += one.files
        total.size_bytes += one.size_bytes
        total.characters += one.characters
        total.documents += one.documents
        total.pages += one.pages
        total.passages += one.passages
        total.seconds += one.seconds
    return total


def _sizes(files: Iterable[FoundFile]) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for file in files:
        sizes[_ending(file)] += file.size
    return sizes


def _ending(file: FoundFile) -> str:
    return Path(file.path).suffix.lower()
