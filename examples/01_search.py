"""Read a folder of documents and find passages in it: by words, by meaning, or by both."""

from pathlib import Path

import ragstone

LIBRARY = Path(__file__).parent / "library"

with ragstone.open(".ragstone") as corpus:
    report = corpus.sync(LIBRARY)  # a mirror: unchanged files are skipped the next time
    print(f"{len(corpus.documents())} documents, {len(report.failed)} could not be read")

    for mode in ("lexical", "dense", "hybrid"):
        hit = corpus.search("How heavy is the optic?", k=1, mode=mode)[0]
        print(f"{mode:>8}  {hit.document.title}: {hit.passage.text[:60]!r}")
