"""Options that many commands share, and the opening of what they act on."""

from __future__ import annotations

import dataclasses
import functools
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


_META = "ragstone"  # the key of click's store that nested commands share


@dataclass(frozen=True, slots=True)
class Shared:
    """What `--corpus`, `--config` and `--json` said, before the command or after it."""

    corpora: tuple[str, ...] = ()
    config: Path | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Common:
    """The corpus that a command acts on, its settings file, and whether it speaks JSON."""

    corpus: str
    as_json: bool
    config: Path | None
    is_named: bool
    """Whether `--corpus` stood on the line, so that nothing else may choose it."""

    def open(self, *, read_only: bool = True, **settings: Scalar | None) -> Corpus:
        """The corpus, with the settings that were given on the command line."""
        from ragstone.build import open_corpus

        given = {key: value for key, value in settings.items() if value is not None}
        return open_corpus(self.corpus, read_only=read_only, config=self.config, settings=given)


def shared() -> Shared:
    """What was said so far on this command line."""
    found = click.get_current_context().meta.get(_META)
    return found if isinstance(found, Shared) else Shared()


def shared_options(command: Command) -> Command:
    """Adds `--corpus`, `--config` and `--json` to a group or a command; `shared` reads them.

    People write them in either place. A command is read after its groups, so what stands
    nearer to its end wins.
    """
    for option in (
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Print one JSON document.",
        ),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            expose_value=False,
            callback=_remember,
            help="Settings file (TOML) to read instead of the usual ones.",
        ),
        click.option(
            "--corpus",
            "corpora",
            multiple=True,
            show_default=DEFAULT_CORPUS,
            metavar="DIR",
            expose_value=False,
            callback=_remember,
            help="The corpus folder (or RAGSTONE_CORPUS).",
        ),
    ):
        command = option(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if isinstance(value, tuple) and "" in value:  # a variable of the shell that was never set
        raise click.BadParameter("it is empty; name a folder.", context, parameter)
    if value and parameter.name is not None:
        said = context.meta.get(_META, Shared())
        context.meta[_META] = dataclasses.replace(said, **{parameter.name: value})


def common(command: Command) -> Command:
    """Adds the shared options; the command takes one `common` argument."""

    @functools.wraps(command)
    def wrapped(**options: object) -> object:
        said = shared()
        corpus = said.corpora[-1] if said.corpora else default_corpus()
        taken = Common(corpus, said.as_json, said.config, is_named=bool(said.corpora))
        return command(common=taken, **options)

    return shared_options(wrapped)  # type: ignore[return-value]


def default_corpus() -> str:
    """The corpus folder where none is named."""
    return os.environ.get("RAGSTONE_CORPUS") or DEFAULT_CORPUS


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
