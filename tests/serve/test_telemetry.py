"""Spans of the stages: nested, timed, with counts, and without a word of any text."""

from __future__ import annotations

import pytest

from ragstone.errors import UsageError
from ragstone.serve import telemetry

sdk = pytest.importorskip("opentelemetry.sdk.trace")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")


def test_without_an_address_nothing_is_sent(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="where spans go"):
        telemetry.enable()


def test_an_answer_is_a_tree_of_spans(server):
    from opentelemetry import trace

    kept = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    telemetry.enable()
    try:
        headers = {"X-Request-ID": "asked-1"}
        body = {"question": "When was the lamp of Skerry first lit?"}
        answer = server.client.post(server.api("ask"), json=body, headers=headers).json()
        assert not answer["abstained"]
    finally:
        telemetry.disable()
    spans = {span.name: span for span in kept.get_finished_spans()}
    root = spans["ragstone.ask"]
    assert root.attributes["request.id"] == "asked-1"
    assert {"retrieve", "lexical", "dense", "evidence", "decide"} <= set(spans)
    assert spans["retrieve"].parent.span_id == root.context.span_id
    assert spans["lexical"].parent.span_id == spans["retrieve"].context.span_id
    for span in spans.values():
        assert root.start_time - 2_000_000 <= span.start_time <= span.end_time
        for value in dict(span.attributes).values():
            assert value == "asked-1" or isinstance(value, int | float)
