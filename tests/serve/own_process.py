"""Run by tests as a process: the server or the tools, with the encoder of the tests' corpus.

own_process.py FOLDER stdio | own_process.py FOLDER http PORT
"""

from __future__ import annotations

import sys
from pathlib import Path

from ragstone.build import open_corpus
from ragstone.serve import log, start, tools
from ragstone.serve.keys import Keys
from ragstone.serve.library import Library, Shelf
from ragstone.serve.metrics import Metrics
from ragstone.serve.options import Options
from ragstone.serve.work import Work
from ragstone.testing.hashing import HashingEncoder


def main(folder: Path, how: str, port: int) -> None:
    log.set_up("text")
    options = Options(port=port, log="text", shutdown_s=5.0)
    given = {"llm": "none", "workers": 1, "threads": 1}
    corpus = open_corpus(folder, settings=given, encoder=HashingEncoder())
    shelf = Shelf("main", corpus, folder, folder / "uploads")
    library = Library({"main": shelf}, options, Metrics(), Work(threads=4, waiting=64, streams=4))
    if how == "stdio":
        tools.over_stdio(library)
    else:
        start.serve(library, Keys(folder / "no-keys.json"))
    library.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 8000)
