"""From a trace to counts and, where asked, to OpenTelemetry spans: no text, only times and numbers.

The package `opentelemetry-api` is the extra `otel`; without it, or without `telemetry = true`,
nothing is sent anywhere. Where spans go is set by the standard OTEL_* variables.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragstone.errors import UsageError
from ragstone.serve.metrics import Metrics
from ragstone.trace import Stage, Trace

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_tracer: Tracer | None = None


def enable() -> None:
    """Send a span for each stage from now on. Raises UsageError where the extra is missing."""
    global _tracer
    try:
        from opentelemetry import trace
    except ImportError as error:
        raise UsageError(
            "`telemetry = true` needs OpenTelemetry, which is not installed.",
            remedy="pip install 'ragstone[otel]'",
        ) from error
    _tracer = trace.get_tracer("ragstone")


def record(act: str, trace: Trace, metrics: Metrics, *, request_id: str) -> None:
    """Note the stages of one search or answer."""
    for stage in trace.stages:
        metrics.observe(
            "ragstone_stage_seconds", "Time of each stage of a search or an answer.",
            {"act": act, "stage": stage.name}, stage.ms / 1000.0,
        )  # fmt: skip
    if _tracer is not None:
        end = time.time_ns()
        total = sum(stage.ms for stage in trace.stages)
        _spans(_tracer, f"ragstone.{act}", total, trace.stages, end, {"request.id": request_id})


def _spans(
    tracer: Tracer,
    name: str,
    ms: float,
    inner: Sequence[Stage],
    end: int,
    values: dict[str, str | int | float | bool],
) -> None:
    """A span that ended at `end` (ns), with its inner stages laid end to end inside it."""
    from opentelemetry import trace

    start = end - int(ms * 1e6)
    span = tracer.start_span(name, start_time=start, attributes=values)
    with trace.use_span(span, end_on_exit=False):
        at = start
        for stage in inner:
            at += int(stage.ms * 1e6)
            numbers = {
                key: value for key, value in stage.notes.items() if isinstance(value, int | float)
            }
            _spans(tracer, stage.name, stage.ms, stage.stages, at, {**numbers})
    span.end(end_time=end)
