"""`doctor --repair`: mend what can be mended without loss, and look again."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from ragstone.corpus.doctor import Examination, Finding, examine
from ragstone.corpus.lock import writer_lock
from ragstone.corpus.rebuilding import rebuild
from ragstone.corpus.schema import DATABASE, connect
from ragstone.corpus.writer import Writer
from ragstone.errors import CorpusError

_ORDER = {"error": 0, "warning": 1, "note": 2}


def doctor(folder: Path, *, repair: bool = False) -> list[Finding]:
    """What is wrong with the corpus in `folder`, worst first; with `repair`, mended if it can be.

    A finding that a repair took away comes back with `mended` set. Raises CorpusError when a
    repair was asked for while another process is writing.
    """
    before = examine(folder)
    findings = list(before.findings)
    if repair and findings:
        with writer_lock(folder):
            _repair(folder, before)
        after = set(examine(folder).findings)
        findings = [f if f in after else replace(f, mended=True) for f in findings]
        findings += [f for f in after if f not in before.findings]
    return sorted(findings, key=lambda finding: (finding.mended, _ORDER[finding.severity]))


def _repair(folder: Path, found: Examination) -> None:
    try:
        connection = connect(folder / DATABASE, write=True)
    except CorpusError:
        return  # nothing to mend it from
    try:
        encoder, identity, dim = connection.execute(
            "SELECT id, identity, dim FROM encoders "
            "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
        ).fetchone()
        writer = Writer(folder, connection, encoder, identity, dim)
        _mark_damaged(writer, found.damaged)
        if found.rebuild:
            try:
                with writer.transaction():
                    rebuild(folder, connection, encoder, dim)
            except CorpusError:
                pass  # the truth itself lacks something: the finding stays, with its remedy
        writer.sweep()
    finally:
        connection.close()


def _mark_damaged(writer: Writer, states: tuple[int, ...]) -> None:
    """Let the next sync read these documents' sources again, and share no content with them."""
    with writer.transaction() as connection:
        for state in states:
            connection.execute(
                "UPDATE contents SET hash = ? "
                "WHERE id = (SELECT content FROM documents WHERE state = ?)",
                (secrets.token_bytes(16), state),
            )
            connection.execute("UPDATE documents SET fingerprint = x'' WHERE state = ?", (state,))
            connection.execute(
                "UPDATE sources SET size = -1, mtime_ns = -1, hash = x'' "
                "WHERE path = (SELECT origin FROM documents WHERE state = ?)",
                (state,),
            )
