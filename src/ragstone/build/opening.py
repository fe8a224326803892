"""A path, settings and what else was given -> a Corpus.

The settings are read here, once: what is opened later is opened as they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ragstone import settings as settings_module
from ragstone.build.corpus import Corpus
from ragstone.build.parts import Parts
from ragstone.types import Scalar

if TYPE_CHECKING:
    from ragstone.protocols import Encoder, LanguageModel


def open(  # noqa: A001 - the name that a user of `ragstone.open` expects
    path: str | PathLike[str] = ".ragstone",
    *,
    read_only: bool = False,
    config: Path | None = None,
    encoder: Encoder | str | None = None,
    llm: LanguageModel | str | None = None,
    **settings: Scalar,
) -> Corpus:
    """The corpus in the folder `path`; use it in a `with` statement, or `close` it.

    A folder that does not exist yet is made by the first `sync`. `encoder` and `llm` are
    names, as in the settings, or objects of the protocols; `settings` are those that
    `ragstone config` lists. Raises UsageError for an unknown setting, CorpusError for a folder
    that is no corpus of this version.
    """
    given: dict[str, Scalar] = dict(settings)
    if isinstance(encoder, str):
        given["encoder"] = encoder
    if isinstance(llm, str):
        given["llm"] = llm
    return open_corpus(
        path,
        read_only=read_only,
        config=config,
        settings=given,
        encoder=None if isinstance(encoder, str) else encoder,
        model=None if isinstance(llm, str) else llm,
    )


def open_corpus(
    path: str | PathLike[str],
    *,
    read_only: bool = False,
    config: Path | None = None,
    settings: Mapping[str, Scalar] | None = None,
    encoder: Encoder | None = None,
    model: LanguageModel | None = None,
) -> Corpus:
    """`open` for callers that hold their settings in a mapping and their models as objects."""
    loaded = settings_module.load(settings, config=config)
    return Corpus(Parts(Path(path), loaded, read_only=read_only, encoder=encoder, model=model))
