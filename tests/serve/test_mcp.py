"""The official SDK's own client against the tools, over standard input and over HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from ragstone.serve import tools
from ragstone.serve.keys import Keys

QUESTION = "When was the lamp of Skerry first lit?"
HERE = Path(__file__).parent


async def check_tools(client: Client) -> None:
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert names == {"search", "ask", "get_document", "list_documents"}

    found = await client.call_tool("search", {"question": QUESTION, "k": 3})
    assert not found.is_error
    hit = found.structured_content["hits"][0]
    assert "3 May 1871" in hit["text"]
    assert json.loads(found.content[0].text) == found.structured_content

    where = {"id": hit["document_id"], "start": hit["start"], "end": hit["end"]}
    shown = await client.call_tool("get_document", where)
    assert shown.structured_content["text"] == hit["text"]

    answer = (await client.call_tool("ask", {"question": QUESTION})).structured_content
    assert answer["abstained"] is False
    for citation in answer["citations"]:
        place = {name: citation[name] for name in ("start", "end")}
        read = await client.call_tool("get_document", {"id": citation["document_id"], **place})
        assert read.structured_content["text"] == citation["quote"]

    listed = await client.call_tool("list_documents", {"query": "skerry", "limit": 5})
    assert [row["title"] for row in listed.structured_content["documents"]] == [
        "The lamp of Skerry"
    ]
    for name, arguments in (
        ("search", {}), ("search", {"question": "x", "evil": 1}), ("get_document", {"id": "none"}),
        ("sync", {"path": "/etc"}), ("unknown", {}), ("search", {"question": "x", "where": "="}),
    ):  # fmt: skip
        failed = await client.call_tool(name, arguments)
        assert failed.is_error, name
        assert failed.content[0].text


def test_in_process(server):
    async def main() -> None:
        async with Client(tools.server(server.library)) as client:
            await check_tools(client)

    asyncio.run(main())


def test_over_http(server):
    async def main() -> None:
        async with Client(f"{server.url}/mcp") as client:
            await check_tools(client)

    asyncio.run(main())


@pytest.mark.real
def test_over_standard_input(folder):
    """`ragstone mcp` as an editor starts it; a wrapper gives it the tests' encoder."""
    parameters = StdioServerParameters(
        command=sys.executable, args=[str(HERE / "own_process.py"), str(folder), "stdio"]
    )

    async def main() -> None:
        async with Client(parameters) as client:
            await check_tools(client)

    asyncio.run(main())


def test_over_http_the_keys_filter_holds(start, tmp_path):
    keys = Keys(tmp_path / "k.json")
    key = keys.add("no html", role="admin", where="format != 'html'")
    server = start(keys, sync=(str(tmp_path),))

    async def main() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers) as sender:
            transport = streamable_http_client(f"{server.url}/mcp", http_client=sender)
            async with Client(transport) as client:
                names = {tool.name for tool in (await client.list_tools()).tools}
                assert "sync" not in names
                listed = await client.call_tool("list_documents", {})
                formats = {row["format"] for row in listed.structured_content["documents"]}
                assert formats
                assert "html" not in formats
                found = await client.call_tool("search", {"question": "salary of the director"})
                assert "91,500" not in found.content[0].text
                assert (await client.call_tool("sync", {"path": str(tmp_path)})).is_error

    asyncio.run(main())


def test_sync_reads_the_allowed_folders_and_no_others(own, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "fog.md").write_text("# Fog\n\nThe fog horn sounds every 30 seconds.\n")
    (tmp_path / "allowed-not").mkdir()
    (allowed / "link").symlink_to("/etc")
    object.__setattr__(own.library.options, "sync", (str(allowed),))

    async def main() -> None:
        async with Client(tools.server(own.library)) as client:
            for path in (
                "/etc",
                str(tmp_path / "allowed-not"),
                f"{allowed}/../files",
                f"{allowed}/link",
            ):
                refused = await client.call_tool("sync", {"path": path})
                assert refused.is_error, path
            through = await client.call_tool("sync", {"path": str(allowed)})
            assert through.is_error
            assert "link" in through.content[0].text
            (allowed / "link").unlink()
            done = await client.call_tool("sync", {"path": str(allowed)})
            assert not done.is_error, done.content[0].text
            assert done.structured_content == {"version": 2, "failures": []}
            found = await client.call_tool("search", {"question": "fog horn"})
            assert "every 30 seconds" in found.structured_content["hits"][0]["text"]

    asyncio.run(main())
