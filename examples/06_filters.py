"""Only some of the documents: filters over format, source, title, language and metadata."""

from pathlib import Path

import ragstone

LIBRARY = Path(__file__).parent / "library"
FILTERS = (
    "format = 'pdf'",
    "format IN ('csv', 'xlsx')",
    "title LIKE '%lamp%' AND NOT format = 'pdf'",
)

with ragstone.open(".ragstone", llm="none") as corpus:
    corpus.sync(LIBRARY)
    for where in FILTERS:
        titles = sorted({info.title for info in corpus.documents(where=where)})
        print(f"{where}: {', '.join(titles)}")
        print("  best:", corpus.search("What did it cost?", k=1, where=where)[0].document.title)
