"""A dialogue over a corpus: each turn is understood with those before, then asked like any
question.

Law: an answer in a dialogue keeps every law of `ask`; conversation only chooses what is
searched for and what evidence comes along. A turn enters the history when its answer is whole;
one that was stopped leaves no trace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ragstone.applications import ask
from ragstone.applications.ask import AskOptions, Components
from ragstone.applications.chat_question import Understood, understand
from ragstone.applications.chat_retrieval import Remembering, hits_of, settled
from ragstone.applications.chat_rewriting import rewritten
from ragstone.applications.chat_turns import HISTORY_TOKENS, Turn, remember
from ragstone.applications.events import Done, Event
from ragstone.errors import UsageError
from ragstone.protocols import Filter, LanguageModel, Retriever
from ragstone.trace import Trace
from ragstone.types import Answer, Citation, Hit


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a dialogue is held. `history_tokens` bounds what of it is read for a new turn."""

    ask: AskOptions = AskOptions()  # noqa: RUF009 - frozen
    history_tokens: int = HISTORY_TOKENS


class Chat:
    """Turns in order, and the next one. Safe to use from several threads: a turn is answered
    with the history as it was when it was asked."""

    def __init__(
        self,
        components: Callable[[], AbstractContextManager[Components]],
        *,
        options: ChatOptions | None = None,
        where: Filter | None = None,
        turns: Sequence[Turn] = (),
        on_change: Callable[[tuple[Turn, ...]], None] | None = None,
    ) -> None:
        """`components` opens what one turn is answered with: the newest snapshot each time.
        `on_change` is given the whole transcript after each change, to be kept."""
        self._components = components
        self._options = options or ChatOptions()
        self._where = where
        self._turns = tuple(turns)
        self._on_change = on_change
        self._lock = threading.Lock()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The transcript, oldest first."""
        return self._turns

    def ask(self, text: str, *, trace: Trace | None = None) -> Answer:
        """The whole answer to the next turn. Raises as `stream` does."""
        return next(e.answer for e in self.stream(text, trace=trace) if isinstance(e, Done))

    def stream(self, text: str, *, trace: Trace | None = None) -> Iterator[Event]:
        """The next turn's answer as it is found and checked; ends with one Done.

        A greeting and a question back come as Done alone. Closing the iterator stops the
        answer. Raises UsageError for an empty text, and what retrieval or the model raises.
        """
        if not text.strip():
            raise UsageError("The question is empty.", remedy="Say what you want to know.")
        trace = trace or Trace()
        memory = remember(self._turns, max_tokens=self._options.history_tokens)
        understood = understand(text, memory)
        if understood.reply:
            answer = Answer(text.strip(), understood.reply, (), (), ())
            self._add(Turn(text.strip(), answer, kind=understood.kind))
            yield Done(answer)
            return
        with self._components() as components:
            model = components.model
            if model is None or not model.capable:  # a capable one says itself what is meant
                understood = settled(understood, components.retriever, where=self._where)
            understood = with_model(understood, memory, model, trace)
            remembering = replace(
                components, retriever=self._remembering(understood, memory, components)
            )
            for event in ask.ask_stream(
                understood.standalone, remembering, options=self._options.ask, where=self._where,
                trace=trace,
            ):  # fmt: skip
                if not isinstance(event, Done):
                    yield event
                    continue
                answer = replace(event.answer, question=text.strip())
                self._add(
                    Turn(
                        text.strip(),
                        answer,
                        understood.standalone,
                        new_topic=understood.new_topic,
                    )
                )
                yield Done(answer)

    def forget(self) -> None:
        """Start anew: no turn is remembered, and a kept transcript is emptied."""
        with self._lock:
            self._turns = ()
            if self._on_change is not None:
                self._on_change(self._turns)

    def _add(self, turn: Turn) -> None:
        with self._lock:
            self._turns = (*self._turns, turn)
            if self._on_change is not None:
                self._on_change(self._turns)

    def _remembering(
        self, understood: Understood, memory: Sequence[Turn], components: Components
    ) -> Retriever:
        cited = () if understood.new_topic else _cited(memory)
        kept = hits_of(cited, components.snapshot) if cited and not understood.more else ()
        return remembering_retriever(
            components.retriever, understood, kept=kept, known=cited if understood.more else ()
        )


def remembering_retriever(
    base: Retriever,
    understood: Understood,
    *,
    kept: Sequence[Hit] = (),
    known: Sequence[Citation] = (),
) -> Retriever:
    """`base`, asked for what was said and what was meant by it."""
    return Remembering(
        base,
        said=understood.said,
        meant=understood.meant,
        weight=understood.weight,
        kept=kept,
        known=known,
    )


def with_model(
    understood: Understood, turns: Sequence[Turn], model: LanguageModel | None, trace: Trace
) -> Understood:
    """The same turn with the standalone question of a capable model, where it gives one."""
    with trace.stage("understand") as stage:
        if model is not None and model.capable and turns and not understood.more:
            meant = rewritten(understood.said, turns, model)
            if meant:
                understood = replace(understood, meant=meant, weight=1.0)
        stage.note(
            standalone=understood.standalone,
            carried=list(understood.carried),
            weight=understood.weight,
            new_topic=understood.new_topic,
        )
    return understood


def _cited(memory: Sequence[Turn]) -> tuple[Citation, ...]:
    """What the last answer stands on."""
    answered = [turn for turn in memory if turn.kind == "answer"]
    return answered[-1].answer.citations if answered else ()
