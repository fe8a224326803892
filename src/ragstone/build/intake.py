"""What goes into a corpus: how its files are read, cut into passages and embedded.

Called by the facade with the parts of a corpus; heavy imports are at the top here, because this
module is imported at first use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ragstone.applications import sync as syncing
from ragstone.applications import sync_estimate as estimating
from ragstone.build.parts import Parts
from ragstone.build.reading import read_file
from ragstone.corpus.store import Store
from ragstone.documents import chunk, embedding_text, table_header
from ragstone.errors import CorpusError
from ragstone.settings import Settings
from ragstone.types import Document, Passage

MOST_WORKERS = 4  # parsers that run by default: embedding costs several times what parsing does
RECIPE = "4"  # of parsing and chunking: raise it when files must be read again


def sync(
    parts: Parts,
    paths: Sequence[Path],
    *,
    confirm_missing: bool,
    retry_failed: bool,
    follow_links: bool,
    on_progress: Callable[[syncing.Progress], None] | None,
) -> syncing.SyncReport:
    """Mirror the paths; the corpus is made where it is missing. See `Corpus.sync`."""
    return syncing.sync(
        parts.store(create=True),
        paths,
        encoder=parts.encoder,
        read=read_file,
        chunk=partial(chunk, token_spans=parts.encoder.token_spans),
        embedding_text=_embedded,
        recipe=RECIPE,
        workers=_workers(parts.settings),
        confirm_missing=confirm_missing,
        retry_failed=retry_failed,
        follow_links=follow_links,
        reader=_reader(),
        on_progress=on_progress,
    )


def estimate(
    parts: Parts,
    paths: Sequence[Path],
    *,
    confirm_missing: bool,
    retry_failed: bool,
    follow_links: bool,
) -> estimating.Estimate:
    """What `sync` of the paths would do; there need be no corpus yet. See `Corpus.estimate`."""
    try:
        store: Store | None = parts.store()
    except CorpusError:
        store = None
    return estimating.estimate(
        store,
        paths,
        encoder=parts.encoder,
        read=read_file,
        chunk=partial(chunk, token_spans=parts.encoder.token_spans),
        recipe=RECIPE,
        workers=_workers(parts.settings),
        confirm_missing=confirm_missing,
        retry_failed=retry_failed,
        follow_links=follow_links,
        reader=_reader(),
    )


def reembed(parts: Parts, on_progress: Callable[[int, int], None] | None) -> int:
    """Make all vectors anew with the encoder of the settings. See `Corpus.reembed`."""
    return parts.store().reembed(parts.encoder, _embedded, on_progress=on_progress)


def _embedded(document: Document, passage: Passage) -> str:
    return embedding_text(document.title, passage, header=table_header(document, passage))


def _workers(settings: Settings) -> int:
    return settings.workers or min(os.cpu_count() or 1, MOST_WORKERS)


def _reader() -> str:
    """What this installation can read: when it can read more, files that failed are tried again."""
    extras = [name for name in ("rapidocr", "PIL") if find_spec(name)]
    return " ".join([version("ragstone"), *extras])
