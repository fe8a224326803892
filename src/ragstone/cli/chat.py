"""`chat`: a dialogue over the corpus, on a terminal, in a pipe, or as JSON.

On a terminal each claim appears as it is verified, Ctrl-C stops one answer, and lines that
begin with `/` are commands. In a pipe each line is a question; with `--json` the turns are one
document at the end.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.models import download_bar
from ragstone.cli.options import Common, common, llm_option, where_option
from ragstone.cli.output import emit_json, fail, say
from ragstone.cli.rendering import Flow, print_answer
from ragstone.errors import RagstoneError, UsageError

if TYPE_CHECKING:
    from ragstone.applications.chat import Chat
    from ragstone.corpus.sessions import Sessions

PROMPT = "» "
HISTORY_LINES = 1000
HELP = """\
  /sources [N]  the quotes of the last answer, or of answer N
  /history      the questions so far, with the numbers of their answers
  /forget       start anew
  /save FILE    write the conversation (.json, else Markdown)
  /help         this list
  /quit         leave (or Ctrl-D); Ctrl-C stops an answer"""


@click.command()
@click.option("--session", metavar="NAME", help="Keep the conversation under NAME, or resume it.")
@click.option("--list", "listed", is_flag=True, help="List the kept conversations.")
@click.option("--export", "exported", metavar="NAME", help="Print a conversation as Markdown.")
@click.option("--delete", "deleted", metavar="NAME", help="Delete a kept conversation.")
@click.option("-k", type=click.IntRange(1, 100), help="How many passages to read.  [default: 10]")
@llm_option
@where_option
@common
def chat(
    common: Common,
    session: str | None,
    listed: bool,
    exported: str | None,
    deleted: str | None,
    k: int | None,
    llm: str | None,
    where: str | None,
) -> None:
    """Talk with the documents: follow-ups are understood from what was said before.

    Reads one question a line; on a terminal, /help lists the commands.
    """
    from ragstone.applications.chat_transcript import turn_json
    from ragstone.corpus.sessions import Sessions

    with common.open(k=k, llm=llm) as corpus, download_bar() as on_progress:
        if listed or exported or deleted:
            _manage(common, Sessions(corpus.store.path), listed, exported, deleted)
            return
        talk = corpus.chat(session, where=where, on_progress=on_progress)
        resumed = len(talk.turns)
        _Conversation(talk, quiet=common.as_json).hold()
    if common.as_json:
        emit_json([turn_json(turn) for turn in talk.turns[min(resumed, len(talk.turns)) :]])


class _Conversation:
    """Reads lines until the end, and prints what each gives."""

    def __init__(self, talk: Chat, *, quiet: bool) -> None:
        self._talk = talk
        self._quiet = quiet
        self._terminal = sys.stdin.isatty() and sys.stdout.isatty() and not quiet

    def hold(self) -> None:
        if self._terminal:
            resumed = f" {len(self._talk.turns)} turns so far." if self._talk.turns else ""
            say(f"Ask the documents; /help lists the commands.{resumed}")
        with _line_history() if self._terminal else contextlib.nullcontext():
            for line in self._lines():
                try:
                    if line.startswith("/"):
                        if not self._command(line):
                            return
                    else:
                        self._ask(line)
                except RagstoneError as error:
                    if not self._terminal:
                        raise
                    fail(error.what, remedy=error.remedy)

    def _lines(self) -> Iterator[str]:
        while True:
            try:
                line = input(PROMPT) if self._terminal else sys.stdin.readline()
            except EOFError:
                click.echo()
                return
            except KeyboardInterrupt:
                click.echo("\n(/quit or Ctrl-D leaves)")
                continue
            if not line and not self._terminal:
                return
            if line.strip():
                yield line.strip()

    def _ask(self, text: str) -> None:
        from ragstone.applications.events import Done, Retrieved, Stated

        events = self._talk.stream(text)
        shown = False
        flow = Flow()
        if not self._terminal and not self._quiet:
            click.secho(f"{PROMPT}{text}", bold=True)
        try:
            for event in events:
                if isinstance(event, Retrieved) and self._terminal:
                    _say_understood(text, event.question)
                elif isinstance(event, Stated) and self._terminal:
                    flow.write(event.text)
                    shown = True
                elif isinstance(event, Done) and not self._quiet:
                    if self._talk.turns and self._talk.turns[-1].kind != "answer":
                        click.echo(event.answer.text)
                    else:
                        print_answer(event.answer, text_shown=shown)
                    click.echo()
        except KeyboardInterrupt:
            if not self._terminal:
                raise
            click.echo("\n(stopped)")
        finally:
            if isinstance(events, Generator):
                events.close()

    def _command(self, line: str) -> bool:
        """Obey a line that begins with a slash; False to leave."""
        name, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        if name in {"quit", "exit", "q"}:
            return False
        if self._quiet and name in {"sources", "history", "help", "?"}:
            return True  # what they would print has no place in the JSON document
        if name == "forget":
            self._talk.forget()
            say("Forgotten.")
        elif name == "sources":
            self._sources(rest)
        elif name == "history":
            self._history()
        elif name == "save":
            self._save(rest)
        elif name in {"help", "?"}:
            click.echo(HELP)
        else:
            raise UsageError(f"There is no command /{name}.", remedy="/help lists them.")
        return True

    def _history(self) -> None:
        """Every turn; answers bear the numbers that /sources takes."""
        number = 0
        for turn in self._talk.turns:
            number += turn.kind == "answer"
            click.echo(f"{f'{number}.' if turn.kind == 'answer' else '':>4} {turn.question}")

    def _sources(self, number: str) -> None:
        from ragstone.cli.rendering import print_citations

        answers = [turn for turn in self._talk.turns if turn.kind == "answer"]
        if number and not (number.isdecimal() and 1 <= int(number) <= len(answers)):
            raise UsageError(
                f"There is no answer {number!r}.", remedy=f"So far there are {len(answers)}."
            )
        if not answers:
            say("No answer yet.")
            return
        answer = answers[int(number) - 1 if number else -1].answer
        cited = answer.citations or (answer.abstention.nearest if answer.abstention else ())
        print_citations(cited)

    def _save(self, name: str) -> None:
        if not name:
            raise UsageError("/save needs a file.", remedy="For example: /save talk.md")
        path = Path(name).expanduser()
        try:
            path.write_text(_written(self._talk, path), encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"Cannot write {path}: {error.strerror or error}.", remedy="Name another file."
            ) from error
        say(f"Saved {len(self._talk.turns)} turns to {path}.")


def _say_understood(text: str, question: str) -> None:
    """How a follow-up was read, before it is answered: a wrong reading is seen at once."""
    if question and question != text:
        click.secho(f"understood as: {question}", dim=True, err=True)


def _written(talk: Chat, path: Path) -> str:
    import json

    from ragstone.applications.chat_transcript import markdown, turn_json

    if path.suffix == ".json":
        rows = [turn_json(turn) for turn in talk.turns]
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    return markdown(talk.turns)


def _manage(
    common: Common, sessions: Sessions, listed: bool, exported: str | None, deleted: str | None
) -> None:
    from ragstone.applications.chat_transcript import markdown, turn_json, turns_of

    if deleted:
        sessions.delete(deleted)
        say(f"Deleted {deleted}.")
    if exported:
        kept = sessions.load(exported)
        if kept is None:
            raise UsageError(
                f"There is no session {exported!r}.", remedy="`ragstone chat --list` names them."
            )
        turns = turns_of(kept, origin=exported)
        if common.as_json:
            emit_json([turn_json(turn) for turn in turns])
        else:
            click.echo(markdown(turns, title=exported), nl=False)
    elif listed or common.as_json:
        found = sessions.list()
        if common.as_json:
            emit_json([{"name": s.name, "changed": s.changed, "turns": s.turns} for s in found])
        for info in () if common.as_json else found:
            click.echo(f"{info.name:<24} {info.turns:>4} turns  {info.changed}")
        if not found and not common.as_json:
            say("No conversation is kept here.")


@contextlib.contextmanager
def _line_history() -> Iterator[None]:
    """Arrow keys and earlier lines at the prompt, where the system has readline."""
    try:
        import readline
    except ImportError:  # Windows' console edits lines by itself
        yield
        return
    from platformdirs import user_state_path

    path = user_state_path("ragstone") / "chat_history"
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(HISTORY_LINES)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(path)
            path.chmod(0o600)


COMMANDS = (chat,)
