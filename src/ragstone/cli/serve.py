"""`ragstone serve` and `ragstone mcp`: the corpora for other programs, and for the browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ragstone.cli.corpora import is_empty
from ragstone.cli.options import DEFAULT_CORPUS, shared
from ragstone.cli.output import emit_json, say
from ragstone.errors import UsageError

if TYPE_CHECKING:
    from ragstone.applications.wire import Json
    from ragstone.serve.keys import Role
    from ragstone.serve.options import Options, Value


def _options(config: Path | None, **given: Value | tuple[str, ...] | None) -> Options:
    from ragstone.serve import options

    values: dict[str, Value] = {}
    for name, value in given.items():
        if value is not None and value != ():
            values[name] = list(value) if isinstance(value, tuple) else value
    return options.load(values, config=config)


def _need(*modules: str, extra: str) -> None:
    """Raises UsageError where an extra is not installed."""
    import importlib.util

    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"This needs {', '.join(missing)}, which is not installed.",
            remedy=f"pip install 'ragstone[{extra}]'",
        )


_corpus = click.option(
    "--corpus", "corpora", multiple=True, metavar="[NAME=]DIR",
    help="A corpus folder, under this name; repeatable. Default: .ragstone.",
)  # fmt: skip
_config = click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (TOML); its table [serve]."
)
_llm = click.option("--llm", metavar="SPEC", help="Who writes: local, none, openai:MODEL, ...")
_keys_file = click.option(
    "--keys", metavar="FILE", help="File of API keys. Default: keys.json in the user's config."
)

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def _folders(corpora: tuple[str, ...]) -> dict[str, Path]:
    from ragstone.serve import start

    named = corpora or shared().corpora or tuple(filter(None, [os.environ.get("RAGSTONE_CORPUS")]))
    return start.named(named or (f"main={DEFAULT_CORPUS}",))


@click.group(invoke_without_command=True)
@_corpus
@_config
@_llm
@_keys_file
@click.option("--host", metavar="ADDRESS", help="Where to listen. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8000.")
@click.option("--allow-host", "allowed_hosts", multiple=True, metavar="NAME",
              help="A name it answers to besides its address.")  # fmt: skip
@click.option("--read-only", is_flag=True, default=None, help="Refuse every change.")
@click.option("--no-page", is_flag=True, help="Serve the API without the page.")
@click.option("--log", type=click.Choice(["text", "json", "none"]), help="Form of the log lines.")
@click.pass_context
def serve(
    context: click.Context,
    corpora: tuple[str, ...],
    config: Path | None,
    llm: str | None,
    keys: str | None,
    host: str | None,
    port: int | None,
    allowed_hosts: tuple[str, ...],
    read_only: bool | None,
    no_page: bool,
    log: str | None,
) -> None:
    """Serve corpora over HTTP: the page, the API, OpenAI's paths and MCP.

    Listens on this machine alone unless --host says otherwise, which needs a key
    (`ragstone serve keys add NAME`).
    """
    config = config or shared().config
    given = _options(
        config, host=host, port=port, keys=keys, allowed_hosts=allowed_hosts,
        read_only=read_only, page=False if no_page else None, log=log,
    )  # fmt: skip
    context.obj = given
    if context.invoked_subcommand is not None:
        return
    _need("starlette", "uvicorn", extra="serve")
    from ragstone.serve import start

    settings = {"llm": llm} if llm else {}
    with start.opened(_folders(corpora), given, config=config, settings=settings) as library:
        unmade = [shelf.folder for shelf in library.shelves.values() if is_empty(shelf.corpus)]

        def ready() -> None:
            for folder in unmade:
                say(f"{folder} holds nothing yet: add files on the page, or with `ragstone sync`.")
            say(f"Serving on http://{given.host}:{given.port}/ (Ctrl-C to stop)")

        start.serve(library, start.keys_of(given), ready=ready)


@serve.group()
def keys() -> None:
    """API keys: who may read, write or administrate, and what each may see."""


@keys.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["read", "write", "admin"]), default="read",
              show_default=True, help="What the key may do.")  # fmt: skip
@click.option("--only", "corpora", multiple=True, metavar="CORPUS",
              help="Only this corpus; may be repeated. Default: all.")  # fmt: skip
@click.option("--where", default="", metavar="EXPR",
              help="Only documents that fit are visible to this key.")  # fmt: skip
@_json
@click.pass_obj
def add(
    given: Options, name: str, role: str, corpora: tuple[str, ...], where: str, as_json: bool
) -> None:
    """Make a key named NAME and print it: it is shown this once and not kept."""
    from ragstone.corpus.where_parser import parse_where
    from ragstone.serve import start

    if where:
        parse_where(where)
    store = start.keys_of(given)
    key = store.add(name, role=cast("Role", role), corpora=corpora or None, where=where)
    if as_json or shared().as_json:
        emit_json({"name": name, "key": key, "kept_in": str(store.path)})
        return
    click.echo(f"Kept as a hash in {store.path}. Copy the key now:", err=True)
    click.echo(key)


@keys.command("list")
@_json
@click.pass_obj
def list_keys(given: Options, as_json: bool) -> None:
    """List the keys, without their secrets."""
    from ragstone.serve import start

    rows = [
        {"id": key.id, "name": key.name, "role": key.role, "created": key.created,
         "corpora": list(key.corpora) if key.corpora is not None else None, "where": key.where}
        for key in start.keys_of(given)
    ]  # fmt: skip
    if as_json or shared().as_json:
        emit_json(cast("Json", {"keys": rows}))
        return
    for row in rows:
        sees = ", ".join(row["corpora"] or ["every corpus"])
        limit = f" where {row['where']}" if row["where"] else ""
        click.echo(f"{row['id']}  {row['role']:5}  {row['name']}  ({sees}{limit})")


@keys.command()
@click.argument("key_id")
@_json
@click.pass_obj
def revoke(given: Options, key_id: str, as_json: bool) -> None:
    """Take back the key with the number KEY_ID, at once."""
    from ragstone.serve import start

    key = start.keys_of(given).revoke(key_id)
    if as_json or shared().as_json:
        emit_json({"id": key.id, "name": key.name, "revoked": True})
        return
    click.echo(f"{key.name} ({key.id}) is revoked.", err=True)


@click.command()
@_corpus
@_config
@_llm
@click.option("--sync", multiple=True, metavar="DIR",
              help="A folder that the tool `sync` may read; else there is none.")  # fmt: skip
@click.option("--read-only", is_flag=True, default=None, help="Refuse every change.")
def mcp(
    corpora: tuple[str, ...], config: Path | None, llm: str | None, sync: tuple[str, ...],
    read_only: bool | None,
) -> None:  # fmt: skip
    """Serve corpora as tools over MCP on standard input and output.

    For a program that starts it, such as an editor or a chat program. Over HTTP the same
    tools are at /mcp of `ragstone serve`.
    """
    _need("mcp", extra="mcp")
    from ragstone.serve import log, start, tools

    config = config or shared().config
    given = _options(config, sync=sync, read_only=read_only)
    log.set_up("none" if given.log == "none" else given.log)
    settings = {"llm": llm} if llm else {}
    with start.opened(_folders(corpora), given, config=config, settings=settings) as library:
        tools.over_stdio(library)


COMMANDS = (serve, mcp)
