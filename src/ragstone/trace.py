"""What happened, stage by stage: the record that `explain`, the page and timings read.

A Trace is passed down explicitly; there is no global one. Stages nest; values are plain
scalars or short strings, never document text unless the caller puts it there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

TraceValue = str | int | float | bool | list[str] | dict[str, float]


@dataclass(slots=True)
class Stage:
    """One step: its name, wall-clock milliseconds, and what it noted."""

    name: str
    ms: float = 0.0
    notes: dict[str, TraceValue] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)

    def note(self, **values: TraceValue) -> None:
        """Record facts of this step, such as counts and scores."""
        self.notes.update(values)


class Trace:
    """Collects stages in order; `stage` is used as a context manager."""

    def __init__(self) -> None:
        self._root = Stage("root")
        self._open = [self._root]

    @property
    def stages(self) -> list[Stage]:
        return self._root.stages

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a step; stages opened inside it become its children."""
        stage = Stage(name)
        self._open[-1].stages.append(stage)
        self._open.append(stage)
        started = time.perf_counter()
        try:
            yield stage
        finally:
            stage.ms = (time.perf_counter() - started) * 1000.0
            self._open.pop()

    def timings_ms(self) -> Mapping[str, float]:
        """Milliseconds by the name of each top stage, and their total."""
        timings: dict[str, float] = {}
        for stage in self.stages:
            timings[stage.name] = round(timings.get(stage.name, 0.0) + stage.ms, 3)
        timings["total"] = round(sum(stage.ms for stage in self.stages), 3)
        return timings
