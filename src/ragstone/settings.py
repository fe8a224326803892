"""One TOML file, the environment and given values -> frozen dataclasses.

Law: an unknown key is an error that names the nearest known one; a value of the wrong type
names the key, the value and what is expected. Later sources win: defaults, the user's file,
`ragstone.toml` in the working folder (or the file named by RAGSTONE_CONFIG), environment
variables `RAGSTONE_<KEY>`, values given in code or on the command line. Nothing here builds
objects: that is `build`.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ragstone.errors import UsageError
from ragstone.types import Scalar

CONFIG_NAME = "ragstone.toml"
ENVIRONMENT_PREFIX = "RAGSTONE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, flat; its default stands here with the reason beside it."""

    # which models
    # The one shipped inside the package; one that `models pull` brings; a folder with model.onnx;
    # openai:MODEL, ollama:MODEL or URL#MODEL over the embeddings protocol.
    encoder: str = "all-MiniLM-L6-v2"
    llm: str = "auto"  # auto: the local model where its runtime is installed, else quotes alone
    # none, one that `models pull` brings, a folder with an ONNX cross-encoder,
    # sentence-transformers:NAME, or URL#MODEL
    reranker: str = "none"
    reader: Literal["shipped", "none"] = "shipped"  # reads question and passages together
    llm_timeout_s: float = 120.0  # without a token from an endpoint

    # retrieval
    mode: Literal["hybrid", "dense", "lexical"] = "hybrid"
    k: int = 10  # passages returned by search and read by ask
    per_document: int = 0  # passages of one document at most; 0: no limit
    diversity: float = 0.0  # 0: as ranked, 1: as unlike each other as can be (MMR)
    threads: int = 0  # 0: as many as there are physical cores

    # answers
    caution: Literal["cautious", "balanced", "eager"] = "balanced"  # when to abstain
    failed_claims: Literal["drop", "mark", "retry"] = "drop"  # what becomes of a claim unproved
    evidence_tokens: int = 320  # shown to the model: prefill is what costs on a CPU
    answer_tokens: int = 160

    # sync
    workers: int = 0  # parser processes; 0: one per core, four at most (OCR takes 1 GB in each)
    max_file_mb: float = 2048.0
    lock_timeout_s: float = 10.0  # how long a second writer waits for the first

    def changed(self, values: Mapping[str, Scalar], *, origin: str) -> Settings:
        """These settings with `values` put over them, checked. Raises UsageError."""
        checked = {key: _checked(key, value, origin) for key, value in values.items()}
        return dataclasses.replace(self, **checked)  # type: ignore[arg-type]


def names() -> tuple[str, ...]:
    """The known keys, in the order of their definition."""
    return tuple(field.name for field in dataclasses.fields(Settings))


def load(values: Mapping[str, Scalar] | None = None, *, config: Path | None = None) -> Settings:
    """The settings in force. Raises UsageError for an unknown key or a value of a wrong type."""
    settings = Settings()
    for path in config_files(config):
        settings = settings.changed(_from_toml(path), origin=str(path))
    settings = settings.changed(_from_environment(), origin="the environment")
    return settings.changed(values or {}, origin="the call")


def config_files(config: Path | None = None) -> list[Path]:
    """The files that are read, in order; a file given by name must exist."""
    named = config or (
        Path(os.environ["RAGSTONE_CONFIG"]) if "RAGSTONE_CONFIG" in os.environ else None
    )
    if named is not None:
        if not named.is_file():
            raise UsageError(
                f"There is no settings file at {named}.",
                remedy="Create it, or leave out --config and RAGSTONE_CONFIG.",
            )
        return [named]
    from platformdirs import user_config_path

    candidates = [user_config_path("ragstone") / "config.toml", Path.cwd() / CONFIG_NAME]
    return [path for path in candidates if path.is_file()]


def _from_toml(path: Path) -> Mapping[str, Scalar]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"The settings file {path} cannot be read: {error}.",
            remedy="It is TOML, one `key = value` a line; `ragstone config` prints the known keys.",
        ) from error
    return {key: value for key, value in table.items() if key != "serve"}


# Variables with the prefix that are not settings of this table.
_OTHER_VARIABLES = frozenset({"CONFIG", "CORPUS", "MODELS", "DATA"})


def _from_environment() -> Mapping[str, Scalar]:
    found: dict[str, Scalar] = {}
    for variable, value in os.environ.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            key = variable.removeprefix(ENVIRONMENT_PREFIX)
            if key not in _OTHER_VARIABLES and not key.startswith("SERVE_"):
                found[key.lower()] = value
    return found


def _checked(key: str, value: object, origin: str) -> Scalar:
    kinds = typing.get_type_hints(Settings)
    if key not in kinds:
        near = difflib.get_close_matches(key, list(kinds), n=1, cutoff=0.5)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(names())}."
        raise UsageError(f"Unknown setting `{key}` in {origin}.", remedy=hint)
    kind = kinds[key]
    if typing.get_origin(kind) is Literal:
        allowed = typing.get_args(kind)
        if value not in allowed:
            raise UsageError(
                f"The setting `{key}` in {origin} is {value!r}.",
                remedy=f"It must be one of: {', '.join(allowed)}.",
            )
        return str(value)
    return _converted(key, value, kind, origin)


def _converted(key: str, value: object, kind: type, origin: str) -> Scalar:
    try:
        if kind is int and not isinstance(value, bool):
            number = int(str(value))
            if number >= 0:
                return number
        elif kind is float and not isinstance(value, bool):
            real = float(str(value))
            if real >= 0:
                return real
        elif kind is str and isinstance(value, str) and value:
            return value
    except ValueError:
        pass
    wanted = {int: "a whole number, 0 or more", float: "a number, 0 or more", str: "some text"}[
        kind
    ]
    raise UsageError(
        f"The setting `{key}` in {origin} is {value!r}.", remedy=f"It must be {wanted}."
    )
