"""Texts that callers had written, on disk: what was asked, how far it is, the claim ledger.

A manuscript is a folder `manuscripts/ID` with `job.json` and, from the first section on,
`ledger.json` in the command line's form. Law: both files are replaced whole or not at all; a job
that the files call running and that no thread runs was interrupted, and can be gone on with.
"""

from __future__ import annotations

import datetime
import json
import re
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, cast

from ragstone.applications.wire import JsonObject
from ragstone.applications.writing import brief as briefs
from ragstone.applications.writing.brief import Brief
from ragstone.applications.writing.ledger import Ledger, asked_of, load, save, write_whole
from ragstone.applications.writing.manuscript import Kind
from ragstone.errors import UsageError
from ragstone.serve.jobs import OVER, State
from ragstone.serve.problem import Problem

FOLDER = "manuscripts"
ID = re.compile(r"[0-9a-z]{8}-[0-9a-z]{6}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, and what became of it. `version` is the corpus's that is read."""

    id: str
    brief: str
    kind: Kind
    sections: int
    words: int
    audience: str
    style: str
    failed: Literal["drop", "mark"]
    where: str
    outline: str
    version: int
    model: str
    created: str
    changed: str
    state: State = "waiting"
    title: str = ""
    done: int = 0
    total: int = 0
    statements: int = 0
    notes: int = 0
    problem: str = ""

    def as_brief(self) -> Brief:
        """The brief. Raises UsageError."""
        return briefs.brief(
            self.brief, kind=self.kind, sections=self.sections, words=self.words,
            audience=self.audience, style=self.style, failed_claims=self.failed,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """What a ledger must say it was asked, to belong to this order."""
        return asked_of(
            self.as_brief(), model=self.model, where=self.where, outline=self.outline,
            version=self.version,
        )  # fmt: skip

    def now(self, state: State, problem: str = "") -> Order:
        """The same order in another state."""
        return replace(self, state=state, problem=problem, changed=moment())

    def json(self) -> JsonObject:
        """What is told of it."""
        return dict(asdict(self))


def moment() -> str:
    """Now, in ISO 8601 and UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def new_id() -> str:
    """An id that no other order has; they sort by time."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{secrets.token_hex(3)}"


class Manuscripts:
    """The orders of one caller, in `folder/manuscripts`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def list(self) -> list[Order]:
        """All orders, the newest first; folders without a readable one are left out."""
        found = []
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if ID.fullmatch(folder.name):
                order = _read(folder / "job.json")
                if order is not None:
                    found.append(order)
        return sorted(found, key=lambda order: order.id, reverse=True)

    def find(self, id_: str) -> Order:
        """One order. Raises Problem (404)."""
        order = _read(self._place(id_) / "job.json")
        if order is None:
            raise Problem(
                404, "no_manuscript", "There is no such manuscript.",
                remedy="List them at /manuscripts.",
            )  # fmt: skip
        return order

    def keep(self, order: Order) -> None:
        """Write the order."""
        place = self._place(order.id)
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(order.json(), ensure_ascii=False, indent=1)
        write_whole(place / "job.json", text.encode("utf-8", "replace"))

    def ledger(self, order: Order) -> Ledger | None:
        """What is written so far, where that belongs to this order."""
        try:
            found = load(self._place(order.id) / "ledger.json")
        except UsageError:
            return None
        return found if found.asked == order.digest else None

    def keep_ledger(self, order: Order, ledger: Ledger) -> None:
        """Write what is written so far."""
        save(ledger, self._place(order.id) / "ledger.json")

    def delete(self, id_: str) -> None:
        """Delete an order and what was written for it. Raises Problem (404)."""
        self.find(id_)
        shutil.rmtree(self._place(id_), ignore_errors=True)

    def _place(self, id_: str) -> Path:
        if not ID.fullmatch(id_):
            raise Problem(404, "no_manuscript", "There is no such manuscript.")
        return self._folder / id_


def _read(path: Path) -> Order | None:
    """The order of a file; None where it is none of this version."""
    try:
        order = Order(**cast("dict[str, str]", json.loads(path.read_text(encoding="utf-8"))))  # type: ignore[arg-type]
        order.as_brief()
    except (OSError, ValueError, TypeError, UsageError):
        return None
    return order if order.state in (*OVER, "waiting", "running") else None
