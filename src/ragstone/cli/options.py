"""Options that many commands share, and the opening of what they act on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from ragstone.build import Corpus
    from ragstone.types import Scalar

Command = TypeVar("Command", bound=Callable[..., object])

DEFAULT_CORPUS = ".ragstone"


@dataclass(frozen=True, slots=True)
class Common:
    """What `--corpus`, `--json` and `--config` said."""

    corpus: str
    as_json: bool
    config: Path | None

    def open(self, *, read_only: bool = True, **settings: Scalar | None) -> Corpus:
        """The corpus, with the settings that were given on the command line."""
        from ragstone.build import open_corpus

        given = {key: value for key, value in settings.items() if value is not None}
        return open_corpus(self.corpus, read_only=read_only, config=self.config, settings=given)


def common(command: Command) -> Command:
    """Adds `--corpus`, `--config` and `--json`; the command takes one `common` argument."""
    import functools

    @functools.wraps(command)
    def wrapped(corpus: str, as_json: bool, config: Path | None, **options: object) -> object:
        return command(common=Common(corpus, as_json, config), **options)

    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            help="Settings file (TOML) to read instead of the usual ones.",
        ),
        click.option(
            "--corpus",
            default=lambda: os.environ.get("RAGSTONE_CORPUS", DEFAULT_CORPUS),
            show_default=DEFAULT_CORPUS,
            metavar="DIR",
            help="The corpus folder (or RAGSTONE_CORPUS).",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def where_option(command: Command) -> Command:
    """Adds `--where`."""
    return click.option(
        "--where",
        metavar="EXPR",
        help="Only documents that fit, e.g. \"format = 'pdf' AND date >= '2020-01-01'\".",
    )(command)


def llm_option(command: Command) -> Command:
    """Adds `--llm`."""
    return click.option(
        "--llm",
        metavar="SPEC",
        help="local, none (quotes only), openai:MODEL, ollama:MODEL, anthropic:MODEL, file:PATH.",
    )(command)
