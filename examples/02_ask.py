"""An answer with exact citations, and a refusal where the documents hold none."""

from pathlib import Path

import ragstone

LIBRARY = Path(__file__).parent / "library"

with ragstone.open(".ragstone", llm="none") as corpus:  # quotes alone; "local" writes sentences
    corpus.sync(LIBRARY)

    answer = corpus.ask("When was the lamp first lit?")
    print(answer.text)
    for number, citation in enumerate(answer.citations, start=1):
        document = corpus.document(citation.document_id)
        assert citation.span.of(document.text) == citation.quote  # always
        print(f"[{number}] {citation.title}, {citation.span.start}: {citation.quote!r}")

    answer = corpus.ask("What does the café charge for a slice of lemon cake?")
    if answer.abstention:
        print("No answer:", answer.abstention.reason)
