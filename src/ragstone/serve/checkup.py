"""`doctor --server`: would a server start as it is set up, and is one that runs in order?

Law: nothing is changed, and nothing is asked of any other machine than the one that is named;
a key is sent to that address alone and never printed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ragstone.corpus import Finding
from ragstone.corpus.where_parser import parse_where
from ragstone.errors import RagstoneError, UsageError
from ragstone.serve.guard import refuse_unsafe
from ragstone.serve.keys import Keys
from ragstone.serve.options import Options
from ragstone.serve.start import keys_of
from ragstone.settings import Settings

KEY_VARIABLE = "RAGSTONE_KEY"
_TIMEOUT_S = 5.0
_FREE_BYTES = 1 << 30
_FILES = 1024  # open files: a connection is one
_ORDER = {"error": 0, "warning": 1, "note": 2}


def examine_set_up(
    options: Options, settings: Settings, folders: Mapping[str, Path]
) -> list[Finding]:
    """What would keep `ragstone serve` from starting or from serving well, worst first."""
    found: list[Finding] = []
    try:
        keys = keys_of(options)
    except UsageError as error:
        found.append(Finding("error", error.what, error.remedy))
    else:
        found += _keys(options, keys, folders)
    found += [*_address(options), *_extras(options), *_model(settings), *_room(options, folders)]
    return sorted(found, key=lambda finding: _ORDER[finding.severity])


def examine_running(url: str, key: str = "") -> list[Finding]:
    """What is wrong with the server at `url`, worst first. Raises UsageError for no URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{url!r} is no address of a server.", remedy="For example: http://127.0.0.1:8000"
        )
    base = f"{parts.scheme}://{parts.netloc}"
    found: list[Finding] = []
    try:
        status, health = _get(f"{base}/health", "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return [
            Finding(
                "error", f"Nothing answers at {base}: {reason}.",
                "Start it with `ragstone serve`, and look at its log.",
            )
        ]  # fmt: skip
    if status == 421:
        return [
            Finding(
                "error", f"The server does not answer to the name {parts.hostname}.",
                "Add it to `allowed_hosts` in [serve].",
            )
        ]  # fmt: skip
    if status != 200 or not isinstance(health, dict) or health.get("status") != "ok":
        return [Finding("error", f"What answers at {base} is no ragstone (status {status}).")]
    found.append(Finding("note", f"{base} runs ragstone {health.get('version')}."))
    found += _running(base, key)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        found.append(
            Finding(
                "warning", f"{base} is not encrypted: keys and documents can be read on the way.",
                "Put a reverse proxy with TLS in front of it.",
            )
        )  # fmt: skip
    return sorted(found, key=lambda finding: _ORDER[finding.severity])


def _running(base: str, key: str) -> Iterator[Finding]:
    status, ready = _get(f"{base}/ready", "")
    if status != 200 or not (isinstance(ready, dict) and ready.get("ready")):
        yield Finding("error", "It is not ready: it is starting, or stopping.", "Wait, ask again.")
    status, listed = _get(f"{base}/api/corpora", key)
    if status == 401:
        yield Finding(
            "error" if key else "note",
            "The key is not one that it knows."
            if key
            else "It needs a key; corpora were not looked at.",
            f"Give a key in the environment as {KEY_VARIABLE}.",
        )
        return
    rows = listed.get("corpora") if isinstance(listed, dict) else None
    if status != 200 or not isinstance(rows, list):
        yield Finding("error", f"It cannot list its corpora (status {status}).", "See its log.")
        return
    if not rows:
        yield Finding("warning", "The key may see no corpus.", "Make one without --only.")
    for row in rows:
        name, documents = row.get("name"), row.get("documents")
        if not documents:
            yield Finding("warning", f"The corpus {name} is empty.", "Fill it: ragstone sync.")
        else:
            yield Finding("note", f"{name}: {documents:,} documents, version {row['version']}.")


def _get(url: str, key: str) -> tuple[int, object]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as reply:
            return reply.status, json.loads(reply.read(1 << 20))
    except urllib.error.HTTPError as error:
        return error.code, None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key must not follow a reply to another address."""

    def redirect_request(self, *_: object) -> None:
        """Nothing is followed."""


def _keys(options: Options, keys: Keys, folders: Mapping[str, Path]) -> Iterator[Finding]:
    why = refuse_unsafe(options, keys, list(folders))
    if why:
        yield Finding("error", why, "Make one: ragstone serve keys add NAME.")
    if not keys.needed:
        if options.loopback:
            yield Finding("note", "No keys: every user of this machine may do everything.")
        return
    if os.name == "posix" and stat.S_IMODE(keys.path.stat().st_mode) & 0o077:
        yield Finding("warning", f"Others may read {keys.path}.", f"chmod 600 {keys.path}")
    if not len(keys):
        yield Finding(
            "error", f"{keys.path} holds no key, so nobody can ask anything.",
            "Make one: ragstone serve keys add NAME; or delete the file.",
        )  # fmt: skip
    for key in keys:
        absent = sorted(set(key.corpora or ()) - set(folders))
        if absent:
            yield Finding(
                "warning", f"The key {key.name} ({key.id}) names {', '.join(absent)}, which is "
                f"not served here.", f"Served: {', '.join(folders)}.",
            )  # fmt: skip
        try:
            if key.where:
                parse_where(key.where)
        except UsageError as error:
            yield Finding(
                "error", f"The filter of the key {key.name} ({key.id}) cannot be read: "
                f"{error.what}", "Revoke it and make another.",
            )  # fmt: skip


def _address(options: Options) -> Iterator[Finding]:
    try:
        places = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Finding("error", f"The host {options.host!r} is unknown: {error}.", "Set `host`.")
        return
    family, kind, _, _, address = places[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            yield Finding(
                "warning", f"{options.host}:{options.port} cannot be listened on: "
                f"{error.strerror}.", "If a server runs there, look at it: ragstone doctor "
                f"--server http://{options.host}:{options.port}. Else set another `port`.",
            )  # fmt: skip
    if options.host in ("0.0.0.0", "::") and not options.allowed_hosts:
        yield Finding(
            "warning", f"On {options.host} it answers to loopback names alone: others get 421.",
            'Name it: allowed_hosts = ["docs.example.org"].',
        )  # fmt: skip


def _extras(options: Options) -> Iterator[Finding]:
    wanted = [("serve", "starlette"), ("serve", "uvicorn")]
    wanted += [("mcp", "mcp")] if options.mcp else []
    wanted += [("otel", "opentelemetry.sdk")] if options.telemetry else []
    for extra, module in wanted:
        try:
            there = importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            severity = "note" if extra == "mcp" else "error"
            yield Finding(
                severity,  # type: ignore[arg-type]
                f"{module} is not installed.", f"pip install 'ragstone[{extra}]'",
            )  # fmt: skip


def _model(settings: Settings) -> Iterator[Finding]:
    from ragstone.build import open_model

    kind = settings.llm.partition(":")[0]
    try:
        if kind in ("none", "auto", "local"):
            return  # `doctor` itself looks at the local model
        model = open_model(settings.llm, settings)
    except RagstoneError as error:
        yield Finding("error", error.what, error.remedy)
        return
    if model is not None:
        model.close()
        yield Finding("note", f"Answers are written by {model.name}; it was not asked anything.")


def _room(options: Options, folders: Mapping[str, Path]) -> Iterator[Finding]:
    for name, folder in folders.items():
        place = Path(options.uploads) / name if options.uploads else folder
        there = next((each for each in (place, *place.parents) if each.is_dir()), None)
        if there is None:
            continue
        if not options.read_only and not os.access(there, os.W_OK):
            yield Finding(
                "error", f"The server may not write in {there}: uploads of {name} will fail.",
                "Give its user that right, or set read_only = true.",
            )  # fmt: skip
        free = shutil.disk_usage(there).free
        most = max(_FREE_BYTES, options.max_uploads * (options.max_upload_mb << 20))
        if not options.read_only and free < most:
            yield Finding(
                "warning", f"{free >> 20:,} MiB are free in {there}; {options.max_uploads} uploads "
                f"may take {most >> 20:,}.", "Make room, or lower `max_upload_mb`.",
            )  # fmt: skip
    if os.name == "posix":
        import resource

        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if 0 <= files < _FILES:
            yield Finding(
                "warning", f"This user may open {files} files, fewer than connections may come.",
                f"ulimit -n {4 * _FILES}; LimitNOFILE= in the systemd unit.",
            )  # fmt: skip
    if options.workers > 8 * (os.cpu_count() or 1):
        yield Finding(
            "note", f"{options.workers} threads for {os.cpu_count()} cores make answers wait.",
            "Lower `threads`.",
        )  # fmt: skip
