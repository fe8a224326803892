"""`ask --schema FILE`: the fields of a JSON schema with their values and citations."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragstone.cli.models import download_bar
from ragstone.cli.options import Common
from ragstone.cli.output import emit_json, say, shortened, terminal_width
from ragstone.cli.rendering import print_citations
from ragstone.errors import UsageError

if TYPE_CHECKING:
    from ragstone.applications.structured.answer import StructuredAnswer
    from ragstone.build import Corpus

ABSTAINED = 4  # exit code: the documents hold nothing of what was asked


def fill_schema(
    common: Common, corpus: Corpus, question: str, path: Path, *, where: str | None, at: str | None
) -> int:
    """Fill, print, and give the exit code: 4 where not one field is proved."""
    from ragstone.applications.structured.answer import structured_json

    with download_bar() as on_progress:
        answer = corpus.extract(
            question, read_schema(path), where=where, at=at, on_progress=on_progress
        )
    if common.as_json:
        emit_json(structured_json(answer))
    else:
        print_fields(answer)
    return ABSTAINED if answer.abstained else 0


def read_schema(path: Path) -> Mapping[str, object]:
    """The JSON schema in a file. Raises UsageError for a file that holds none."""
    try:
        schema = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"Cannot read the schema {path}: {error.strerror or error}.",
            remedy="Name a file with a JSON schema.",
        ) from error
    except ValueError as error:
        raise UsageError(
            f"The schema {path} is no JSON: {error}.", remedy="Mend it at that place."
        ) from error
    if not isinstance(schema, dict):
        raise UsageError(
            f"The schema {path} is no JSON object.",
            remedy='It begins with {"type": "object", "properties": ...}.',
        )
    return schema


def print_fields(answer: StructuredAnswer) -> None:
    """Each field on a line with the numbers of its citations, the quotes, and what is missing."""
    numbers = {citation: n for n, citation in enumerate(answer.citations, start=1)}
    width = min(terminal_width(), 100)
    names = min(max((len(found.path) for found in answer.fields), default=0), 32)
    for found in answer.fields:
        if found.value is not None:
            marks = "".join(f"[{numbers[citation]}]" for citation in found.citations)
            text = found.value if isinstance(found.value, str) else json.dumps(found.value)
            line = f"{found.path:<{names}}  {text} {marks}"
            click.echo(textwrap.fill(line, width, subsequent_indent=" " * (names + 2)))
    if answer.citations:
        click.echo()
        print_citations(answer.citations)
    missing = [found for found in answer.fields if found.value is None]
    if missing:
        click.secho("\nNot proved by the documents:", bold=True)
        for found in missing:
            click.echo(f"{found.path:<{names}}  {shortened(found.reason, width - names - 2)}")
    filled = len(answer.fields) - len(missing)
    say(f"{filled} of {len(answer.fields)} fields proved")
