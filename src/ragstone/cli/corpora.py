"""`sync`, `add` and `rm`: what goes into a corpus and out of it."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.options import Common, common
from ragstone.cli.output import (
    UNBROKEN,
    counted,
    emit_json,
    is_terminal,
    path_shortened,
    say,
    sized,
    terminal_width,
)
from ragstone.cli.progress import ProgressLine
from ragstone.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ragstone.applications.sync import Progress, SyncReport
    from ragstone.build.corpus import Corpus
    from ragstone.types import Failure

SOME_FAILED = 3
NOTHING = "There is no file here that can be read."
_MOST_LISTED = 20  # failures named one by one; `doctor` lists them all


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--confirm-missing",
    is_flag=True,
    help="A PATH that is gone means: remove what the corpus holds of it.",
)
@click.option("--retry-failed", is_flag=True, help="Read failed files again, though unchanged.")
@click.option("--follow-links", is_flag=True, help="Follow links out of the folders, too.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, how long and how large.")
@click.option("--watch", is_flag=True, help="Go on: sync again after each change, until Ctrl-C.")
@common
def sync(
    common: Common,
    paths: tuple[str, ...],
    confirm_missing: bool,
    retry_failed: bool,
    follow_links: bool,
    dry_run: bool,
    watch: bool,
) -> int:
    """Mirror files and folders into the corpus: add, update, delete.

    Unchanged files cost a look at their date and size. What cannot be read is listed at the
    end (exit code 3), and tried again when it changes. A sync is one version: readers see it
    whole, once it has ended; Ctrl-C publishes what was finished.
    """
    from ragstone.applications.wire import sync_report_json

    if dry_run:
        return _estimate(common, paths, confirm_missing, retry_failed, follow_links)
    with common.open(read_only=False) as corpus, ProgressLine() as line:
        on_progress = _showing(line)
        if is_empty(corpus) and is_terminal():
            say("A first sync can be asked when it has ended; Ctrl-C ends it with what is done.")
        if watch:
            following = corpus.watch(*paths, follow_links=follow_links, on_progress=on_progress)
            for report in following:
                line.clear()
                _print_report(report)
            return 0
        report = corpus.sync(
            *paths, confirm_missing=confirm_missing, retry_failed=retry_failed,
            follow_links=follow_links, on_progress=on_progress,
        )  # fmt: skip
    if common.as_json:
        emit_json(sync_report_json(report))
    else:
        _print_report(report)
    return SOME_FAILED if report.failed else 0


def is_empty(corpus: Corpus) -> bool:
    """Whether nothing was ever published, so that nothing can be asked yet."""
    try:
        return corpus.store.head() == 0
    except CorpusError:  # there is none yet
        return True


def _estimate(
    common: Common,
    paths: tuple[str, ...],
    confirm_missing: bool,
    retry_failed: bool,
    follow_links: bool,
) -> int:
    from ragstone.applications.wire import estimate_json

    with common.open() as corpus:
        found = corpus.estimate(
            *paths, confirm_missing=confirm_missing, retry_failed=retry_failed,
            follow_links=follow_links,
        )  # fmt: skip
    if common.as_json:
        emit_json(estimate_json(found))
        return SOME_FAILED if found.failed else 0
    counts = {
        "new": found.new,
        "changed": found.changed,
        "to remove": found.removed,
        "renamed": found.renamed,
        "unchanged": found.unchanged,
    }
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    click.echo(shown or NOTHING)
    if found.size_bytes:
        pages = f"{counted(found.pages, 'page')}, " if found.pages else ""
        click.echo(
            f"{sized(found.size_bytes)} to read: about {pages}"
            f"{counted(found.passages, 'passage')}, {found.seconds:.0f} s; "
            f"the corpus grows by about {sized(found.growth_bytes)}"
        )
    _print_failures("failed", found.failed)
    return SOME_FAILED if found.failed else 0


@click.command()
@click.argument("path")
@common
def add(common: Common, path: str) -> int:
    """Read the single file PATH into the corpus, or read it again."""
    from ragstone.applications.wire import sync_report_json

    with common.open(read_only=False) as corpus, ProgressLine() as line:
        report = corpus.add(path, on_progress=_showing(line))
    if common.as_json:
        emit_json(sync_report_json(report))
    else:
        _print_report(report)
    return SOME_FAILED if report.failed else 0


@click.command()
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT...")
@common
def rm(common: Common, documents: tuple[str, ...]) -> None:
    """Take DOCUMENTs (ids, sources, or endings of sources) out of the corpus.

    Earlier versions keep them. Files are not touched: a later sync of their folder reads them
    again, unless they are deleted or named in `.ragstoneignore`.
    """
    from ragstone.applications.wire import document_info_json

    with common.open(read_only=False) as corpus:
        removed = corpus.remove(*documents)
        version = corpus.store.head()
    if common.as_json:
        emit_json({"version": version, "removed": [document_info_json(info) for info in removed]})
        return
    for info in removed:
        click.echo(f"  removed  {path_shortened(info.source, 68)}")
    say(f"version {version}")


def _showing(line: ProgressLine) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        unit = f"files, {counted(progress.passages, 'passage')}"
        name = Path(progress.path).name
        line.show(name, done=progress.files, total=progress.all_files, unit=unit)

    return show


def _print_report(report: SyncReport) -> None:
    for label, sources in (
        ("added", report.added),
        ("changed", report.changed),
        ("removed", report.removed),
    ):
        _print_few(label, sources)
    _print_few("renamed", tuple(f"{old} → {new}" for old, new in report.renamed))
    for label, failures in (("skipped", report.skipped), ("failed", report.failed)):
        _print_failures(label, failures[:_MOST_LISTED])
        if len(failures) > _MOST_LISTED:
            click.echo(f"           and {len(failures) - _MOST_LISTED} more: see `ragstone doctor`")
    counts = {
        "added": len(report.added),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "renamed": len(report.renamed),
        "unchanged": report.unchanged,
        "skipped": len(report.skipped),
        "failed": len(report.failed),
    }
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if not shown:
        click.echo(NOTHING)
        return
    click.secho(f"version {report.version}: {shown}", bold=True)
    click.echo(f"{counted(report.passages, 'passage')} written, in {report.seconds:.1f} s")


def _print_failures(label: str, failures: Sequence[Failure]) -> None:
    """Files that were not read, and below each why, without saying its name again.

    Files that need the same remedy stand together, and it is said once, below them.
    """
    by_remedy: dict[str, list[Failure]] = {}
    for failure in failures:
        by_remedy.setdefault(failure.remedy, []).append(failure)
    for remedy, alike in by_remedy.items():
        for failure in alike:
            click.secho(
                f"{label:>9}  {path_shortened(failure.source, 68)}",
                fg="red" if label == "failed" else None,
            )
            why = failure.reason
            if why.startswith(f"{failure.source} "):
                why = f"It {why.removeprefix(failure.source).lstrip()}"
            last = failure is alike[-1]
            click.echo(_below(f"{why} {remedy}".rstrip() if last else why))


def _below(said: str) -> str:
    indent = " " * 11
    width = max(terminal_width(), 40)
    return textwrap.fill(said, width, initial_indent=indent, subsequent_indent=indent, **UNBROKEN)


def _print_few(label: str, sources: tuple[str, ...]) -> None:
    """Up to five by name; more as a count by folder."""
    if len(sources) <= 5:
        for source in sources:
            click.echo(f"{label:>9}  {path_shortened(source, 68)}")
        return
    folders = Counter(str(Path(source.partition("#")[0]).parent) for source in sources)
    for folder, count in folders.most_common(5):
        click.echo(f"{label:>9}  {count:>6} in {path_shortened(folder, 58)}")
    if len(folders) > 5:
        rest = len(sources) - sum(count for _, count in folders.most_common(5))
        click.echo(f"{'':>9}  {rest:>6} elsewhere")


COMMANDS = (sync, add, rm)
