"""The process that reads files for `sync`: paths in, documents out, over standard streams.

Started by `sync_read.Worker`. Nothing that a parser prints can disturb the stream: the descriptor
is taken away from `sys.stdout` first.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO, cast

from ragstone.applications.sync_read import ReadFile, parts_of, receive, send


def main() -> int:
    """Serve until the stream of paths ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    inbound = sys.stdin.buffer
    try:
        path_list, read = cast("tuple[list[str], ReadFile]", receive(cast("BinaryIO", inbound)))
        sys.path[:] = path_list
        while True:
            path = cast("str", receive(cast("BinaryIO", inbound)))
            for message in parts_of(path, read):
                send(cast("BinaryIO", out), message)
    except (EOFError, BrokenPipeError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
