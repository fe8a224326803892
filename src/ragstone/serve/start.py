"""Starting the server: corpora opened, keys read, refusals said, uvicorn run until the end."""

from __future__ import annotations

import contextlib
import errno
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ragstone.errors import UsageError
from ragstone.serve import log
from ragstone.serve.keys import Keys, default_path
from ragstone.serve.library import Library, Shelf
from ragstone.serve.metrics import Metrics
from ragstone.serve.options import Options
from ragstone.serve.work import Work
from ragstone.types import Scalar

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def named(corpora: Sequence[str]) -> dict[str, Path]:
    """`NAME=FOLDER` or `FOLDER` (named after itself) to folders by name. Raises UsageError."""
    found: dict[str, Path] = {}
    for given in corpora:
        name, equals, folder = given.partition("=")
        if not equals:
            folder = given
            name = Path(given).absolute().name.lstrip(".") or "main"
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", name) or "main"
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"A corpus's name is {name!r}.",
                remedy="Use letters, digits, dots and dashes: --corpus NAME=FOLDER.",
            )
        if name in found:
            raise UsageError(
                f"Two corpora are named {name!r}.", remedy="Give --corpus NAME=FOLDER."
            )
        found[name] = Path(folder)
    return found


@contextlib.contextmanager
def opened(
    folders: Mapping[str, Path],
    options: Options,
    *,
    config: Path | None = None,
    settings: Mapping[str, Scalar] | None = None,
) -> Iterator[Library]:
    """The library over these folders, closed at the end. Raises CorpusError, UsageError."""
    from ragstone.build import open_corpus

    with contextlib.ExitStack() as stack:
        shelves = {}
        for name, folder in folders.items():
            corpus = open_corpus(
                folder, read_only=options.read_only, config=config,
                settings=settings,
            )  # fmt: skip
            stack.callback(corpus.close)
            uploads = Path(options.uploads) / name if options.uploads else folder / "uploads"
            shelves[name] = Shelf(name, corpus, folder.absolute(), uploads.absolute())
        work = Work(
            threads=options.workers, waiting=options.waiting, streams=max(1, options.streams)
        )
        library = Library(shelves, options, Metrics(), work)
        stack.callback(library.close)
        yield library


def keys_of(options: Options) -> Keys:
    """The keys that the options name."""
    return Keys(Path(options.keys) if options.keys else default_path())


def serve(library: Library, keys: Keys, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called once connections are taken.

    Raises UsageError where serving would be unsafe, or where the address cannot be had.
    """
    import uvicorn

    from ragstone.serve import telemetry
    from ragstone.serve.app import create_app
    from ragstone.serve.connection import timed
    from ragstone.serve.guard import refuse_unsafe

    options = library.options
    why = refuse_unsafe(options, keys, list(library.shelves))
    if why:
        raise UsageError(why, remedy="Make one: ragstone serve keys add NAME. Or use 127.0.0.1.")
    sockets = _listening(options.host, options.port)
    if options.telemetry:
        telemetry.enable()
    log.set_up(options.log)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(library, keys),
            host=options.host,
            port=options.port,
            http=timed(options.header_timeout_s),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            timeout_keep_alive=15,
            timeout_graceful_shutdown=max(1, int(options.shutdown_s)),
            limit_concurrency=1024,
            h11_max_incomplete_event_size=64 << 10,
        )
    )
    if options.log != "none":
        log.write(
            "listening", url=f"http://{options.host}:{options.port}/",
            corpora=", ".join(library.shelves), keys=len(keys),
        )  # fmt: skip
    ready()
    server.run(sockets=sockets)
    if not server.started:
        sys.exit(1)


def _listening(host: str, port: int) -> list[socket.socket]:
    """Sockets on the addresses of `host` that this machine has. Raises UsageError for none."""
    sockets: list[socket.socket] = []
    refused: OSError | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        found, refused = [], error
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            made = socket.create_server((address[0], port), family=family, backlog=2048)
            # What is accepted inherits it: else a reply in two parts waits 40 ms for the client.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets.append(made)
        except OSError as error:  # a name may stand for addresses that are switched off here
            refused = error
    if sockets or refused is None:
        return sockets
    remedy = (
        f"Something listens there already: stop it, or give another --port, such as {port + 1}."
        if refused.errno == errno.EADDRINUSE
        else "Give an address of this machine with --host, such as 127.0.0.1."
    )
    why = str(refused.strerror or refused).split(" (", 1)[0]
    raise UsageError(f"Cannot listen on {host}:{port}: {why}.", remedy=remedy) from refused


def stop_on_terminate() -> None:
    """Make SIGTERM end the process as Ctrl-C does, for what runs without uvicorn."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
