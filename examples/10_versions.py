"""Every sync is a version: ask an earlier one, see what changed, go back."""

import shutil
from pathlib import Path

import ragstone

LIBRARY = Path(__file__).parent / "library"
QUESTION = "What is the price of an adult ticket?"

shutil.rmtree("copy", ignore_errors=True)
shutil.copytree(LIBRARY, "copy")
handbook = Path("copy/handbook.md")

with ragstone.open("versioned", llm="none") as corpus:
    first = corpus.sync("copy").version
    handbook.write_text(handbook.read_text(encoding="utf-8").replace("£9.50", "£11.00"), "utf-8")
    second = corpus.sync("copy").version

    for version in (first, second):
        rows = [hit.passage.text for hit in corpus.search(QUESTION, at=version)]
        print(version, "£11.00" in " ".join(rows))
    print("changed:", [Path(source).name for _, source in corpus.store.diff(first).changed])
    corpus.store.rollback(first)
    print("back:", "£11.00" not in " ".join(hit.passage.text for hit in corpus.search(QUESTION)))
