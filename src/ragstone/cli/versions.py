"""`versions`, `diff`, `tag`, `rollback`, `optimize`, `export`, `import`, `reembed`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.options import Common, common
from ragstone.cli.output import counted, emit_json, path_shortened, say, sized
from ragstone.cli.progress import ProgressLine

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


@click.command()
@click.option("--keep", type=click.IntRange(1), default=1, show_default=True, help="Versions kept.")
@common
def optimize(common: Common, keep: int) -> None:
    """Forget all but the newest versions and the tagged ones; give their room back."""
    with common.open(read_only=False) as corpus:
        forgotten = corpus.store.optimize(keep=keep)
    if common.as_json:
        emit_json(
            {
                "versions": forgotten.versions,
                "documents": forgotten.states,
                "passages": forgotten.passages,
                "freed_bytes": forgotten.freed_bytes,
            }
        )
        return
    say(
        f"Forgot {counted(forgotten.versions, 'version')} with "
        f"{counted(forgotten.states, 'old state')} of documents; "
        f"{sized(max(0, forgotten.freed_bytes))} are free again."
    )


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--without-conversations", is_flag=True, help="Leave conversations and manuscripts behind."
)
@common
def export_corpus(common: Common, file: Path, without_conversations: bool) -> None:
    """Write the whole corpus, with its versions and conversations, to one portable FILE."""
    with common.open() as corpus:
        size = corpus.store.export(file, kept=not without_conversations)
    if common.as_json:
        emit_json({"file": str(file), "size_bytes": size})
    else:
        say(f"Wrote {file} ({sized(size)}).")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
def import_(common: Common, file: Path) -> None:
    """Make a corpus (in --corpus, which must not exist) from an exported FILE, verified."""
    from ragstone.corpus import Store, import_corpus

    import_corpus(file, Path(common.corpus))
    with Store.open(common.corpus, read_only=True) as store:
        info = store.info()
    if common.as_json:
        emit_json({"corpus": info.path, "version": info.version, "documents": info.documents})
    else:
        documents = counted(info.documents, "document")
        say(f"{info.path} holds {documents} at version {info.version}.")


@click.command()
@click.option("--encoder", metavar="SPEC", help="The new encoder: a name or a folder.")
@common
def reembed(common: Common, encoder: str | None) -> None:
    """Give the corpus another encoder; searching goes on meanwhile, a stopped run resumes."""
    with common.open(read_only=False, encoder=encoder) as corpus, ProgressLine() as line:

        def show(done: int, total: int) -> None:
            line.show("embedding", done=done, total=total, unit="texts")

        done = corpus.reembed(show)
        identity = corpus.encoder.identity
    if common.as_json:
        emit_json({"embedded": done, "encoder": identity})
    else:
        say(f"Embedded {done} texts; the corpus's encoder is now {identity}.")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


COMMANDS = (versions, diff, tag, rollback, optimize, export_corpus, import_, reembed)
