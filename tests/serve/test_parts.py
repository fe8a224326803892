"""The parts under the server, by their laws: schemas, threads, rates, counts, options."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import UsageError
from ragstone.serve import options, schema, sse
from ragstone.serve.app import OPERATIONS
from ragstone.serve.limits import Rate
from ragstone.serve.metrics import Metrics
from ragstone.serve.problem import Problem
from ragstone.serve.work import Work

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.floats(allow_nan=False, width=16)
    | st.text("ab \n", max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["question", "k", "mode", "x", "model"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
BODIES = [operation.body for operation in OPERATIONS if operation.body is not None]


@given(st.sampled_from(BODIES), JSON)
def test_the_check_agrees_with_an_independent_validator(body, value):
    valid = jsonschema.Draft202012Validator(body).is_valid(value)
    if valid:
        schema.check(value, body)
        return
    with pytest.raises(Problem) as problem:
        schema.check(value, body)
    assert problem.value.status == 422


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
def test_examples_fit_their_schemas(operation):
    for example in operation.examples.values():
        schema.check(example, operation.body)
    for parameter in operation.parameters:
        schema.check(parameter.example, parameter.schema)


def test_a_word_that_is_not_enforced_is_not_published():
    with pytest.raises(ValueError, match="not checked"):
        schema.check({}, {"type": "object", "minProperties": 1})


# --- threads


def work(**given: int) -> Work:
    return Work(**{"threads": 2, "waiting": 2, "streams": 2, **given})


def test_calls_beyond_the_line_are_refused_at_once():
    async def main() -> None:
        busy = work()
        gate = threading.Event()
        tasks = [asyncio.create_task(busy.run(gate.wait)) for _ in range(4)]
        await asyncio.sleep(0.05)
        with pytest.raises(Problem) as refused:
            await busy.run(lambda: 1)
        assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
        gate.set()
        assert await asyncio.gather(*tasks) == [True] * 4
        await asyncio.sleep(0.05)
        assert await busy.run(lambda: 1) == 1
        assert busy.calls <= 1
        busy.close()
        with pytest.raises(Problem) as stopping:
            await busy.run(lambda: 1)
        assert stopping.value.status == 503

    asyncio.run(main())


@given(st.lists(st.integers(), max_size=40))
def test_a_stream_carries_all_items_in_order(items):
    async def main() -> list[int]:
        pool = work()
        async with pool.stream(lambda: iter(items)) as stream:
            found = [item async for item in stream]
        pool.close()
        return found

    assert asyncio.run(main()) == items


def test_a_reader_who_leaves_frees_the_thread_and_closes_the_iterator():
    closed = threading.Event()
    made = 0

    def endless() -> Iterator[int]:
        nonlocal made
        try:
            while True:
                made += 1
                yield made
        finally:
            closed.set()

    async def main() -> None:
        pool = work(streams=1)
        async with pool.stream(endless) as stream:
            async for item in stream:
                if item == 3:
                    break
            with pytest.raises(Problem):
                async with pool.stream(endless):
                    pass
        assert await asyncio.to_thread(closed.wait, 5)
        assert made < 30  # it does not run ahead of a slow reader without end
        for _ in range(100):
            if not pool.streaming:
                break
            await asyncio.sleep(0.01)
        async with pool.stream(lambda: iter([7])) as stream:
            assert [item async for item in stream] == [7]
        pool.close()

    asyncio.run(main())


def test_an_error_of_the_iterator_reaches_the_reader_after_its_items():
    def failing() -> Iterator[int]:
        yield 1
        raise UsageError("broken")

    async def main() -> None:
        pool = work()
        async with pool.stream(failing) as stream:
            assert await anext(stream) == 1
            with pytest.raises(UsageError):
                await anext(stream)
        pool.close()

    asyncio.run(main())


def test_a_client_who_leaves_in_midstream_frees_the_work(server, monkeypatch):
    closed = threading.Event()
    begun = threading.Event()

    def endless(*_: object, **__: object) -> Iterator[object]:
        from ragstone.applications.events import Retrieved

        try:
            while True:
                begun.set()
                time.sleep(0.01)
                yield Retrieved((), (), 0.5)
        finally:
            closed.set()

    monkeypatch.setattr(type(server.corpus), "ask_stream", endless)
    with server.client.stream("POST", server.api("ask/stream"), json={"question": "x"}) as reply:
        next(reply.iter_bytes())
        assert begun.is_set()
        assert not closed.is_set()
    assert closed.wait(5)


def test_streams_do_not_block_searching(start, monkeypatch):
    server = start(streams=3)
    gate = threading.Event()

    def slow(*_: object, **__: object) -> Iterator[object]:
        gate.wait(20)
        yield from ()

    monkeypatch.setattr(type(server.corpus), "ask_stream", slow)
    waiting = [
        threading.Thread(
            target=lambda: server.client.post(server.api("ask/stream"), json={"question": "x"})
        )
        for _ in range(3)
    ]
    for thread in waiting:
        thread.start()
    deadline = time.monotonic() + 5
    while server.library.work.streaming < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    refused = server.client.post(server.api("ask/stream"), json={"question": "x"})
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    found = server.client.post(server.api("search"), json={"question": "lamp"})
    assert found.status_code == 200
    gate.set()
    for thread in waiting:
        thread.join(10)


def test_a_failure_in_midstream_is_an_event(server, monkeypatch):
    def failing(*_: object, **__: object) -> Iterator[object]:
        from ragstone.applications.events import Retrieved

        yield Retrieved((), (), 0.5)
        raise RuntimeError("content TOPSECRETWORD")

    monkeypatch.setattr(type(server.corpus), "ask_stream", failing)
    reply = server.client.post(server.api("ask/stream"), json={"question": "x"})
    assert reply.status_code == 200
    assert "event: error" in reply.text
    assert "TOPSECRETWORD" not in reply.text
    data = reply.text.split("event: error\ndata: ")[1].split("\n")[0]
    assert json.loads(data)["code"] == "internal"


# --- rates, counts, events


@given(st.integers(1, 600), st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_a_rate_is_never_exceeded_and_its_wait_is_true(per_minute, pauses):
    now = 0.0
    rate = Rate(per_minute, clock=lambda: now)
    granted = 0
    for pause in pauses:
        now += pause
        wait = rate.take("one")
        granted += wait == 0.0
        assert granted <= max(5.0, per_minute / 4) + now * per_minute / 60 + 1e-6
        if wait:
            assert rate.take("other") == 0.0 or len(rate) > 1
            now += wait + 1e-6
            assert rate.take("one") == 0.0
            granted += 1


def test_buckets_of_those_who_left_are_forgotten():
    now = 0.0
    rate = Rate(60, clock=lambda: now)
    for number in range(5000):
        now += 1.0
        rate.take(str(number))
    assert len(rate) < 1200


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.text(max_size=20))
def test_metrics_add_up_and_cannot_be_broken_by_a_label(seconds, label):
    metrics = Metrics()
    for value in seconds:
        metrics.observe("a_seconds", "About.", {"x": label}, value)
        metrics.count("b_total", "About.", {"x": label})
    lines = metrics.text().split("\n")
    buckets = [
        float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("a_seconds_bucket")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == len(seconds)
    assert sum(line.startswith("b_total{") for line in lines) == 1
    total = next(line for line in lines if line.startswith("a_seconds_sum"))
    assert float(total.rsplit(" ", 1)[1]) == pytest.approx(sum(seconds), abs=1e-4)


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_can_end_an_event(text, more):
    sent = sse.event("claim", {"text": text, **more}).decode()
    head, data, *rest = sent.split("\n")
    assert head == "event: claim"
    assert rest == ["", ""]
    assert json.loads(data.removeprefix("data: ")) == {"text": text, **more}


# --- options


def test_options_come_from_file_environment_and_call_in_this_order(tmp_path, monkeypatch):
    file = tmp_path / "ragstone.toml"
    file.write_text(
        "[serve]\nport = 8100\nthreads = 3\nallowed_hosts = ['a.example']\npage = false\n"
    )
    monkeypatch.setenv("RAGSTONE_SERVE_PORT", "8200")
    monkeypatch.setenv("RAGSTONE_SERVE_SYNC", "/a, /b")
    found = options.load({"log": "json"}, config=file)
    assert (found.port, found.threads, found.page, found.log) == (8200, 3, False, "json")
    assert found.allowed_hosts == ("a.example",)
    assert found.sync == ("/a", "/b")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prot": 1}, "Did you mean `port`"), ({"port": "high"}, "whole number"),
        ({"port": True}, "whole number"), ({"body_timeout_s": -1}, "0 or more"),
        ({"log": "xml"}, "one of"), ({"page": "maybe"}, "true or false"), ({"sync": 3}, "a list"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(values, said):
    with pytest.raises(UsageError, match=said):
        options.Options().changed(values, origin="the test")
