"""A PDF's page as its real image, and the rectangles in which a span stands on it.

Law: PDFs are drawn in a process of their own, one page at a time, because the C++ code beneath
(PDFium) is not safe with threads and a damaged file may bring it down: then one request fails
and the process is started anew.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import ParamSpec, TypeVar

from ragstone.documents.pdf import PageBoxes
from ragstone.errors import DocumentError, UsageError
from ragstone.types import Document, Span

MAX_PIXELS = 4_000_000
_TIMEOUT_S = 20.0
P = ParamSpec("P")
T = TypeVar("T")


class Pages:
    """Draws pages in a child process that is started when the first page is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def image(self, path: Path, page: int, *, width: int) -> bytes:
        """The page (from 1) as PNG, `width` pixels wide. Raises DocumentError."""
        return self._call(draw, path, page, width)

    def boxes(self, path: Path, document: Document, page: int, span: Span) -> PageBoxes:
        """Where the span stands on the page (from 1). Raises DocumentError."""
        return self._call(find, path, document, page, span)

    def close(self) -> None:
        """End the child process."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    def _call(self, act: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
        with self._lock:
            if self._pool is None:
                # spawned, not forked: a fork would copy this process's locks as they stand
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=context)
            pool = self._pool
        try:
            return pool.submit(act, *values, **named).result(timeout=_TIMEOUT_S)
        except (BrokenProcessPool, concurrent.futures.TimeoutError) as error:
            self._give_up(pool)
            raise DocumentError(
                f"Page {values[1:2]} could not be drawn within {_TIMEOUT_S:g} s.",
                remedy="Read its text instead.",
            ) from error

    def _give_up(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        children = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.kill()


def draw(path: Path, page: int, width: int) -> bytes:
    """The page as PNG, `width` pixels wide. Runs in the child process. Raises DocumentError."""
    from ragstone.documents.raw import Raw
    from ragstone.documents.rendering import drawn, png

    raw = Raw("The PDF behind this document", path.name, path=path)  # said in place of its path
    try:
        picture, _ = drawn(raw, page, lambda points: width / points, most_pixels=MAX_PIXELS)
    except UsageError as error:
        raise DocumentError(error.what, remedy=error.remedy) from error
    return png(picture)


def find(path: Path, document: Document, page: int, span: Span) -> PageBoxes:
    """The rectangles of the span on that page. Runs in the child process."""
    from ragstone.documents.pdf import rectangles

    found = {boxes.page: boxes for boxes in rectangles(path, document, span)}
    if page not in found:
        raise DocumentError(f"The words do not stand on page {page}.", remedy="Try its text.")
    return found[page]
