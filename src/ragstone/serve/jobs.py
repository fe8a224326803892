"""Long work in the background: started, watched by any number of clients, stopped, found again.

Law: a job runs in a thread of its own pool, at most `threads` at once and `waiting` in line; what
it has made so far (`pieces`) only grows. Whoever watches sees every piece once and in order, and
the state whenever it changes, from the beginning, however late he comes. Jobs live in memory:
whoever starts them keeps on disk what must outlive the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from ragstone.applications.wire import JsonObject
from ragstone.errors import RagstoneError
from ragstone.serve import log
from ragstone.serve.problem import Problem, from_error

State = Literal["waiting", "running", "done", "cancelled", "interrupted", "failed"]
OVER: tuple[State, ...] = ("done", "cancelled", "interrupted", "failed")
_LOOK_S = 0.1  # between two looks of a watcher: pieces take seconds
_MOST_WATCHERS = 64


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Raised inside a job's work where it was told to stop."""


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work. `done` of `total` steps are over; `problem` says why it failed."""

    id: str
    owner: str
    state: State = "waiting"
    done: int = 0
    total: int = 0
    pieces: list[JsonObject] = field(default_factory=list)
    problem: str = ""
    stopping: State | None = None  # what it will be once it has stopped
    changes: int = 0

    def step(self, done: int, total: int, *pieces: JsonObject) -> None:
        """Note progress, from the job's thread. Raises Stopped where it shall end."""
        self.done, self.total = done, total
        self.pieces.extend(pieces)
        self.changes += 1
        if self.stopping is not None:
            raise Stopped

    def to(self, state: State, problem: str = "") -> None:
        """Enter another state."""
        self.state, self.problem = state, problem
        self.changes += 1

    def json(self) -> JsonObject:
        """What is told of every job."""
        return {
            "id": self.id, "state": self.state, "stopping": self.stopping is not None,
            "done": self.done, "total": self.total, "problem": self.problem,
        }  # fmt: skip


class Jobs:
    """The jobs of a server that are waiting or under way."""

    def __init__(self, *, threads: int, waiting: int, each: int = 4) -> None:
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="job")
        self._most = max(1, threads) + waiting
        self._each = each  # of one owner
        self._jobs: dict[tuple[str, str], Job] = {}
        self._lock = threading.Lock()
        self._watchers = 0
        self._closing = False

    def __len__(self) -> int:
        return len(self._jobs)

    def start(
        self,
        job: Job,
        act: Callable[[Job], None],
        *,
        ended: Callable[[State, str], None] | None = None,
        filtered: bool = False,
    ) -> None:
        """Run `act` for the job; `ended` is told its last state and what went wrong.

        Raises Problem (429, 503). With `filtered`, its owner is told no more of an error than
        a key with a filter may know.
        """
        with self._lock:
            own = sum(owner == job.owner for owner, _ in self._jobs)
            if self._closing:
                raise Problem(503, "stopping", "The server is stopping.", retry_after_s=5)
            if (job.owner, job.id) in self._jobs:
                raise Problem(409, "running", "It is under way.", remedy="Watch its events.")
            if len(self._jobs) >= self._most or own >= self._each:
                raise Problem(
                    429, "busy", f"{len(self._jobs)} jobs are under way or waiting, {own} of them "
                    "yours.", remedy="Start it when one has ended.", retry_after_s=10,
                )  # fmt: skip
            self._jobs[(job.owner, job.id)] = job
        self._pool.submit(self._run, job, act, ended, filtered)

    def find(self, owner: str, id_: str) -> Job | None:
        """The owner's job, while it is waiting or under way."""
        return self._jobs.get((owner, id_))

    def of(self, owner: str) -> list[Job]:
        """The owner's jobs that are waiting or under way, in the order of their start."""
        with self._lock:
            return [job for (its, _), job in self._jobs.items() if its == owner]

    def stop(self, job: Job) -> None:
        """Tell it to end with its next step; what it has made stays."""
        if job.stopping is None:
            job.stopping = "cancelled"
            job.changes += 1

    @contextlib.asynccontextmanager
    async def watch(self, job: Job) -> AsyncIterator[AsyncIterator[JsonObject | Job]]:
        """Pieces in order, and the job itself after each change; it ends when the job does."""
        if self._watchers >= _MOST_WATCHERS:
            raise Problem(
                429, "busy", f"{self._watchers} clients are watching jobs.",
                remedy="Ask for its state instead.", retry_after_s=5,
            )  # fmt: skip
        self._watchers += 1
        try:
            yield self._watched(job)
        finally:
            self._watchers -= 1

    async def _watched(self, job: Job) -> AsyncIterator[JsonObject | Job]:
        told, seen = 0, -1
        while True:
            over = job.state in OVER  # read first: what it has made by then is all
            if over or job.changes != seen:
                seen = job.changes
                for piece in job.pieces[told:]:
                    told += 1
                    yield piece
                yield job
            if over:
                return
            await asyncio.sleep(_LOOK_S)

    def close(self) -> None:
        """Take no more; what is under way ends with its next step and can be gone on with."""
        with self._lock:
            self._closing = True
            for job in self._jobs.values():
                job.stopping = job.stopping or "interrupted"
        self._pool.shutdown(wait=True)

    def _run(
        self,
        job: Job,
        act: Callable[[Job], None],
        ended: Callable[[State, str], None] | None,
        filtered: bool,
    ) -> None:
        last, problem = self._outcome(job, act, filtered)
        if ended is not None:
            try:
                ended(last, problem)
            except Exception as error:  # the job is over all the same
                log.failed("job not kept", error)
        with self._lock:
            self._jobs.pop((job.owner, job.id), None)
        job.to(last, problem)

    def _outcome(self, job: Job, act: Callable[[Job], None], filtered: bool) -> tuple[State, str]:
        try:
            if job.stopping is not None:
                raise Stopped
            job.to("running")
            act(job)
        except Stopped:
            return job.stopping or "cancelled", ""
        except RagstoneError as error:
            told = from_error(error, filtered=filtered)
            return "failed", f"{told.message} {told.remedy}".strip()
        except Problem as told:
            return "failed", f"{told.message} {told.remedy}".strip()
        except Exception as error:  # somebody waits for an answer, and the log gets the place
            log.failed("job failed", error)
            return "failed", "The server failed; its log says where."
        return "done", ""
