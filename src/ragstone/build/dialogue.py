"""The folder of a corpus and a name -> a Chat that is kept under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from ragstone.applications.ask import AskOptions, Components
from ragstone.applications.chat import Chat, ChatOptions
from ragstone.applications.chat_transcript import kept_json, turns_of
from ragstone.applications.chat_turns import Turn, said
from ragstone.corpus.sessions import Sessions
from ragstone.protocols import Filter


def open_chat(
    folder: Path,
    components: Callable[[], AbstractContextManager[Components]],
    *,
    session: str | None,
    turns: Sequence[tuple[str, str] | Turn],
    options: AskOptions,
    where: Filter | None,
) -> Chat:
    """The kept dialogue `session` continued by `turns`, or a new one; see `Corpus.chat`."""
    given = tuple(turn if isinstance(turn, Turn) else said(*turn) for turn in turns)
    chat_options = ChatOptions(ask=options)
    if session is None:
        return Chat(components, options=chat_options, where=where, turns=given)
    sessions = Sessions(folder)
    kept = sessions.load(session)
    earlier = turns_of(kept, origin=session) if kept is not None else ()

    def keep(every: tuple[Turn, ...]) -> None:
        sessions.save(session, [dict(kept_json(turn)) for turn in every])

    return Chat(
        components, options=chat_options, where=where, turns=(*earlier, *given), on_change=keep
    )
