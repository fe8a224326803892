"""What a server is told: the `[serve]` table of the settings file, the environment, the flags.

Law: an unknown key is an error that names the nearest known one. Variables of the environment
are `RAGSTONE_SERVE_<KEY>`. Later sources win: defaults, files, environment, the call.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ragstone import settings
from ragstone.errors import UsageError

ENVIRONMENT_PREFIX = "RAGSTONE_SERVE_"
Value = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class Options:
    """Every option of the server, flat; its default stands here with the reason beside it."""

    # where it listens
    host: str = "127.0.0.1"  # loopback: anything else needs keys
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()  # names it answers to besides loopback and `host`
    page: bool = True  # serve the page at /
    mcp: bool = True  # serve MCP at /mcp where the `mcp` extra is installed

    # who may
    keys: str = ""  # file with hashed keys; empty: keys.json beside the user's config, if it exists
    read_only: bool = False  # refuse uploads, deletions, rollbacks whatever the key

    # how much
    threads: int = 0  # at work at once; 0: twice the cores, at least 4
    waiting: int = 64  # requests that may wait for a thread; one more is told 429
    streams: int = 32  # answers that may stream at once
    jobs: int = 1  # texts and evaluations under way at once: each keeps a core busy for minutes
    requests_per_minute: int = 0  # for each key or address; 0: no limit
    max_body_kb: int = 1024  # of a JSON body
    max_upload_mb: int = 100  # of one file
    max_uploads: int = 4  # files received at once
    header_timeout_s: float = 10.0  # to send a request's head
    body_timeout_s: float = 30.0  # without a byte of the body; and for a whole JSON body
    shutdown_s: float = 10.0  # what is under way may take this long to end

    # what it leaves behind
    uploads: str = ""  # folder that keeps uploaded files; empty: `uploads` in the corpus's folder
    log: Literal["json", "text", "none"] = "text"
    telemetry: bool = False  # OpenTelemetry spans; the exporter is set by OTEL_* variables

    # MCP
    sync: tuple[str, ...] = ()  # folders that the tool `sync` may read; empty: no such tool

    def changed(self, values: Mapping[str, Value], *, origin: str) -> Options:
        """These options with `values` put over them, checked. Raises UsageError."""
        checked = {key: _checked(key, value, origin) for key, value in values.items()}
        return dataclasses.replace(self, **checked)  # type: ignore[arg-type]

    @property
    def workers(self) -> int:
        """Threads that work at once."""
        return self.threads or max(4, 2 * (os.cpu_count() or 2))

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def names() -> tuple[str, ...]:
    """The known keys, in the order of their definition."""
    return tuple(field.name for field in dataclasses.fields(Options))


def load(values: Mapping[str, Value] | None = None, *, config: Path | None = None) -> Options:
    """The options in force. Raises UsageError for an unknown key or a value of a wrong type."""
    options = Options()
    for path in settings.config_files(config):
        options = options.changed(_from_toml(path), origin=f"[serve] of {path}")
    environment = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }
    options = options.changed(environment, origin="the environment")
    return options.changed(values or {}, origin="the call")


def _from_toml(path: Path) -> Mapping[str, Value]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("serve", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"The settings file {path} cannot be read: {error}.",
            remedy="It is TOML; the server's options stand in a table [serve].",
        ) from error
    if not isinstance(table, dict):
        raise UsageError(f"`serve` in {path} is {table!r}.", remedy="Make it a table: [serve].")
    return table


def _checked(key: str, value: object, origin: str) -> object:
    kinds = typing.get_type_hints(Options)
    if key not in kinds:
        near = difflib.get_close_matches(key, list(kinds), n=1, cutoff=0.5)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(names())}."
        raise UsageError(f"Unknown option `{key}` in {origin}.", remedy=hint)
    kind = kinds[key]
    problem = UsageError(
        f"The option `{key}` in {origin} is {value!r}.", remedy=f"It must be {_wanted(kind)}."
    )
    if typing.get_origin(kind) is Literal:
        if value not in typing.get_args(kind):
            raise problem
        return value
    if typing.get_origin(kind) is tuple:
        return _texts(value, problem)
    if kind is bool:
        return _flag(value, problem)
    if kind is str:
        if not isinstance(value, str):
            raise problem
        return value
    return _number(value, kind, problem)


def _wanted(kind: object) -> str:
    if typing.get_origin(kind) is Literal:
        return "one of: " + ", ".join(typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return "a list of texts, or one text with commas"
    if kind is bool:
        return "true or false"
    if kind is str:
        return "some text"
    return "a whole number, 0 or more" if kind is int else "a number, 0 or more"


def _texts(value: object, problem: UsageError) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise problem


def _flag(value: object, problem: UsageError) -> bool:
    if isinstance(value, bool):
        return value
    spelled = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.lower() in spelled:
        return spelled[value.lower()]
    raise problem


def _number(value: object, kind: type, problem: UsageError) -> int | float:
    if isinstance(value, bool):
        raise problem
    try:
        number: int | float = int(str(value)) if kind is int else float(str(value))
    except ValueError:
        raise problem from None
    if not 0 <= number < float("inf"):
        raise problem
    return number
