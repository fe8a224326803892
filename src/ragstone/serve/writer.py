"""An order carried out: sections written one after the other, each kept as it stands.

Law: what is on disk is a whole ledger after each section, so work that is cut off at any moment
goes on from its last whole section.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from ragstone.applications.wire import JsonObject
from ragstone.applications.writing.composing import PlanMade, SectionWritten, WriteEvent, Written
from ragstone.applications.writing.ledger import Ledger, ledger_json
from ragstone.serve.jobs import Job, State
from ragstone.serve.manuscripts import Manuscripts, Order

if TYPE_CHECKING:
    from ragstone.serve.library import Shelf


class Writer:
    """Writes one order, keeping each section as it stands."""

    def __init__(
        self, shelf: Shelf, manuscripts: Manuscripts, order: Order, where: str | None
    ) -> None:
        self._shelf = shelf
        self._kept = manuscripts
        self._order = order
        self._where = where

    def write(self, job: Job) -> None:
        """In the job's thread, from the last whole section on."""
        order = self._order
        before = self._kept.ledger(order)
        self._keep("running")
        events = self._shelf.corpus.write_stream(
            order.as_brief(), outline=order.outline or None, where=self._where, at=order.version,
            resume=before.manuscript if before is not None else None,
        )  # fmt: skip
        try:
            for event in events:
                self._take(event, job, before)
        finally:
            if isinstance(events, Generator):
                events.close()

    def ended(self, state: State, problem: str) -> None:
        """Keep how it ended."""
        self._order = self._order.now(state, problem)
        self._kept.keep(self._order)

    def _take(self, event: WriteEvent, job: Job, before: Ledger | None) -> None:
        if isinstance(event, PlanMade):
            total = len(event.outline.sections)
            self._order = replace(
                self._order, title=event.outline.title, done=event.done, total=total
            )
            self._keep("running")
            job.step(event.done, total, *(sections_of(before) if before is not None else ()))
            return
        manuscript = event.manuscript
        written = Ledger(manuscript, self._order.digest, complete=isinstance(event, Written))
        self._kept.keep_ledger(self._order, written)
        self._order = replace(
            self._order, done=len(manuscript.sections),
            statements=len(manuscript.statements), notes=len(manuscript.numbers()),
        )  # fmt: skip
        self._keep("running")
        if isinstance(event, SectionWritten):
            job.step(self._order.done, self._order.total, sections_of(written)[-1])

    def _keep(self, state: State) -> None:
        self._order = self._order.now(state)
        self._kept.keep(self._order)


def sections_of(ledger: Ledger) -> list[JsonObject]:
    """Each section as it is told in an event: with its place as `index`, and whether a person
    asked for it (`asked`), so that it is shown even where nothing stands in it."""
    rows = ledger_json(ledger)["sections"]
    found = [row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)]
    planned = ledger.manuscript.outline.sections
    return [
        {"index": index, "asked": not planned[index].keys, **row} for index, row in enumerate(found)
    ]
