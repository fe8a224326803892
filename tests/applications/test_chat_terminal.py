"""The chat on a real terminal of 80 columns: Ctrl-C stops one answer, and its commands obey."""

import codecs
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ragstone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

PROGRAM = """
import sys, time
import ragstone
from ragstone.cli.chat import _Conversation
from ragstone.testing.scripted import ScriptedModel

class Slow(ScriptedModel):
    def generate(self, messages, **options):
        for item in super().generate(messages, **options):
            yield item
            time.sleep(0.2 if len(self.asked) == 1 else 0.0)

# No sentence twice: an answer that repeats itself ends by itself, on a busy machine before Ctrl-C.
more = " ".join(f"Boat {number} was painted in a colour that nobody knows." for number in range(60))
model = Slow(f"The lamp was first lit on 3 September 1874. Work began in May 1871. {more}")
with ragstone.open(sys.argv[1], llm=model, read_only=True) as corpus:
    _Conversation(corpus.chat(), quiet=False).hold()
print("left", model.cancelled)
"""


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, *command: str, home: Path) -> None:
        import pty

        self.fd, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, *command], stdin=inner, stdout=inner, stderr=inner, close_fds=True,
            env={**os.environ, "COLUMNS": "80", "TERM": "dumb", "XDG_STATE_HOME": str(home)},
        )  # fmt: skip
        os.close(inner)
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # reads cut characters

    def until(self, pattern: str, *, after: int = 0, timeout_s: float = 60.0) -> int:
        """Read until `pattern` stands in what was printed after `after`; where it ends."""
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.text[after:])):
            assert time.monotonic() < deadline, self.text[after:]
            if select.select([self.fd], [], [], 1.0)[0]:
                try:
                    self.text += self._decoder.decode(os.read(self.fd, 65536))
                except OSError:  # the program has ended
                    break
        found = re.search(pattern, self.text[after:])
        assert found, self.text[after:]
        return after + found.end()

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


def test_control_c_stops_one_answer_and_the_talk_goes_on(tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "corpus"
    with ragstone.open(folder, llm="none", workers=1) as corpus:
        corpus.sync(library / "history.html")
    terminal = Terminal("-c", PROGRAM, str(folder), home=tmp_path)
    try:
        at = terminal.until("» ")
        terminal.type("When was the lamp first lit?\n")
        at = terminal.until(r"1874\. \[1\]", after=at)  # the first statement stands already
        terminal.process.send_signal(signal.SIGINT)  # what the terminal makes of Ctrl-C
        at = terminal.until(r"\(stopped\)", after=at)
        terminal.type("When did work on the lighthouse begin?\n")
        at = terminal.until("statements verified", after=at)
        before = at
        terminal.type("and by whom?\n")
        at = terminal.until("understood as: and by whom", after=before)  # before the answer
        assert "187" not in terminal.text[before:at]
        at = terminal.until("verified", after=at)
        terminal.type("/history\n")
        at = terminal.until(r"1\. When did work", after=at)  # the stopped turn left no trace
        terminal.type("/sources 1\n")
        at = terminal.until(r"\[1\] .*history\.html", after=at)
        terminal.type(f"/save {tmp_path / 'talk.md'}\n")
        at = terminal.until("Saved 2 turns", after=at)
        terminal.type("/forget\n")
        at = terminal.until("Forgotten", after=at)
        terminal.type("/sources\n")
        at = terminal.until("No answer yet", after=at)
        terminal.type("/quit\n")
        terminal.until("left [12]", after=at)
    finally:
        terminal.close()
    assert "When did work" in (tmp_path / "talk.md").read_text(encoding="utf-8")
