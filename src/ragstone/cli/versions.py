"""`versions`, `diff`, `tag`, `rollback`, `optimize`, `export`, `import`, `reembed`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ragstone.cli.options import Common, common
from ragstone.cli.output import emit_json, path_shortened, say

if TYPE_CHECKING:
    from ragstone.applications.wire import Json


@click.command()
@common
def versions(common: Common) -> None:
    """List the versions of the corpus: every sync is one."""
    with common.open() as corpus:
        found = corpus.versions()
    if common.as_json:
        rows: list[Json] = [
            {
                "version": info.number,
                "created": _time(info.created),
                "note": info.note,
                "documents": info.documents,
                "passages": info.passages,
                "tags": list(info.tags),
            }
            for info in found
        ]
        emit_json({"versions": rows})
        return
    if not found:
        say("The corpus has no versions yet: run `ragstone sync PATH...`.")
        return
    click.secho(
        f"{'version':>7}  {'created':<20} {'documents':>9} {'passages':>9}  note", bold=True
    )
    for info in found:
        tags = f"  [{', '.join(info.tags)}]" if info.tags else ""
        click.echo(
            f"{info.number:>7}  {_time(info.created):<20} {info.documents:>9} "
            f"{info.passages:>9}  {info.note}{tags}"
        )


@click.command()
@click.argument("a")
@click.argument("b", required=False)
@common
def diff(common: Common, a: str, b: str | None) -> None:
    """Documents added, changed and removed from version A to B (the newest, when left out)."""
    with common.open() as corpus:
        found = corpus.store.diff(a, b)
    sides = (
        ("added", "+", found.added),
        ("changed", "~", found.changed),
        ("removed", "-", found.removed),
    )
    if common.as_json:
        emit_json(
            {
                "a": found.a,
                "b": found.b,
                **{
                    name: [{"document_id": id, "source": source} for id, source in rows]
                    for name, _, rows in sides
                },
            }
        )
        return
    for _, mark, rows in sides:
        for _, source in rows:
            click.echo(f"{mark} {path_shortened(source, 100)}")
    counts = ", ".join(f"{len(rows)} {name}" for name, _, rows in sides)
    say(f"version {found.a} to {found.b}: {counts}")


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@common
def tag(common: Common, name: str, version: str | None) -> None:
    """Give VERSION (the newest, when left out) the NAME."""
    with common.open(read_only=False) as corpus:
        number = corpus.store.tag(name, version)
    if common.as_json:
        emit_json({"tag": name, "version": number})
    else:
        say(f"Version {number} is now called {name}.")


@click.command()
@click.argument("version")
@common
def rollback(common: Common, version: str) -> None:
    """Publish a new version that holds what VERSION (a number or tag) held."""
    with common.open(read_only=False) as corpus:
        number = corpus.store.rollback(version)
    if common.as_json:
        emit_json({"version": number, "restored": version})
    else:
        say(f"Version {number} holds what version {version} held.")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


COMMANDS = (versions, diff, tag, rollback)
