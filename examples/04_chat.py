"""A dialogue: follow-ups are understood from what was said before, without a language model."""

from pathlib import Path

import ragstone

LIBRARY = Path(__file__).parent / "library"

with ragstone.open(".ragstone", llm="none") as corpus:
    corpus.sync(LIBRARY)
    chat = corpus.chat()  # chat("boats") would be kept in the corpus's folder and resumed
    for said in ("Hello!", "How many visitors were there in 2022?", "and in 2019?", "Thanks"):
        answer = chat.ask(said)
        print(f"» {said}\n  {answer.text}")
        if chat.turns[-1].standalone not in ("", said):
            print(f"  (understood as: {chat.turns[-1].standalone})")
