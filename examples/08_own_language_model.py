"""A language model of your own: it streams tokens; what it writes is checked like any other's."""

from pathlib import Path

import ragstone
from ragstone.protocols import Finish, Token, Usage

LIBRARY = Path(__file__).parent / "library"


class Boaster:
    """Says something true and something false, to show what becomes of each."""

    name, context_tokens, capable = "boaster", 4096, True

    def generate(self, messages, *, max_tokens=256, temperature=0.0, stop=(), schema=None, seed=0):
        for text in ("The lamp was first lit on 3 September 1874. ", "It has 900 visitors a day."):
            yield Token(text)
        yield Finish("stop", Usage(prompt_tokens=100, completion_tokens=16, first_token_ms=1.0))

    def count_tokens(self, text):
        return len(text) // 4

    def close(self): ...


with ragstone.open(".ragstone", llm=Boaster()) as corpus:
    corpus.sync(LIBRARY)
    answer = corpus.ask("When was the lamp first lit?")
    print(answer.text)
    for claim in answer.removed:
        print(f"left out: {claim.text} ({claim.reason})")
