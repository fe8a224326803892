"""Run by test_mcp: the tools over standard input, with the encoder that the tests' corpus has."""

from __future__ import annotations

import sys
from pathlib import Path

from ragstone.build import open_corpus
from ragstone.serve import log, tools
from ragstone.serve.library import Library, Shelf
from ragstone.serve.metrics import Metrics
from ragstone.serve.options import Options
from ragstone.serve.work import Work
from ragstone.testing.hashing import HashingEncoder

if __name__ == "__main__":
    log.set_up("text")
    folder = Path(sys.argv[1])
    corpus = open_corpus(folder, settings={"llm": "none"}, encoder=HashingEncoder())
    shelf = Shelf("main", corpus, folder, folder / "uploads")
    library = Library({"main": shelf}, Options(), Metrics(), Work(threads=2, waiting=8, streams=2))
    tools.over_stdio(library)
    library.close()
