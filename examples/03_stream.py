"""An answer as it is found, checked and shown: nothing that was shown is ever taken back."""

from pathlib import Path

import ragstone
from ragstone.applications.events import Done, Removed, Retrieved, Stated

LIBRARY = Path(__file__).parent / "library"

with ragstone.open(".ragstone", llm="none") as corpus:
    corpus.sync(LIBRARY)
    for event in corpus.ask_stream("How much did the restoration cost?"):
        if isinstance(event, Retrieved):
            print(f"{len(event.hits)} passages, {len(event.evidence)} sentences of evidence")
        elif isinstance(event, Stated):
            print(event.text, end="", flush=True)  # verified before it is shown
        elif isinstance(event, Removed):
            print(f"(left out: {event.claim.reason})")
        elif isinstance(event, Done):
            print(f"\nconfidence {event.answer.confidence:.2f}")
