"""From a trace to counts and, where asked, to OpenTelemetry spans: no text, only times and numbers.

OpenTelemetry is the extra `otel`; without it, or without `telemetry = true`, nothing is sent
anywhere. Where spans go is set by the standard variables OTEL_EXPORTER_OTLP_ENDPOINT and the like.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ragstone.errors import UsageError
from ragstone.serve.metrics import Metrics
from ragstone.trace import Stage, Trace

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_tracer: Tracer | None = None
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def enable() -> None:
    """Send a span for each stage from now on, to where the environment says.

    A provider that was set before (by `opentelemetry-instrument`, or a test) is used as it is.
    Raises UsageError where the extra is missing or no endpoint is named.
    """
    global _tracer
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UsageError(
            "`telemetry = true` needs OpenTelemetry, which is not installed.",
            remedy="pip install 'ragstone[otel]'",
        ) from error
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        if not any(os.environ.get(name) for name in _ENDPOINTS):
            raise UsageError(
                "`telemetry = true` does not say where spans go.",
                remedy=f"Set {_ENDPOINTS[0]}, such as http://127.0.0.1:4318.",
            )
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    _tracer = trace.get_tracer("ragstone")


def disable() -> None:
    """Send no more spans."""
    global _tracer
    _tracer = None


def record(act: str, trace: Trace, metrics: Metrics, *, request_id: str) -> None:
    """Note the stages of one search or answer."""
    for stage in trace.stages:
        metrics.observe(
            "ragstone_stage_seconds", "Time of each stage of a search or an answer.",
            {"act": act, "stage": stage.name}, stage.ms / 1000.0,
        )  # fmt: skip
    for stage in _all(trace.stages):
        for kind in ("prompt_tokens", "completion_tokens"):
            count = stage.notes.get(kind)
            if isinstance(count, int) and count > 0:
                metrics.count(
                    "ragstone_tokens_total", "Tokens that language models read and wrote.",
                    {"act": act, "kind": kind.removesuffix("_tokens")}, count,
                )  # fmt: skip
    if _tracer is not None:
        end = time.time_ns()
        total = sum(stage.ms for stage in trace.stages)
        _spans(_tracer, f"ragstone.{act}", total, trace.stages, end, {"request.id": request_id})


def _all(stages: Sequence[Stage]) -> Iterator[Stage]:
    for stage in stages:
        yield stage
        yield from _all(stage.stages)


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
