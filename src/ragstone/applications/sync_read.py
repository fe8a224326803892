"""Reading files in worker processes: a parser that hangs or crashes costs one file, not the run.

A worker is `python -m ragstone.applications.sync_worker`; it gets the reader once and then paths,
and sends back documents in small groups, pickled over its pipes (no import of the caller's main
module, so no guard is needed there). Law: for every path asked there comes, in order of the paths,
any number of `Part`s and then one `Finished`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ragstone.errors import RagstoneError, UsageError
from ragstone.types import Document

ReadFile = Callable[[Path], Iterator[Document]]

GROUP_CHARACTERS = 200_000  # of text in one message; a single document may be larger
GROUP_DOCUMENTS = 512
FILE_TIMEOUT_S = 600.0  # without a sign of life, for one file
# A worker that used so much of the time it was given is at work, on a machine that is busy with
# other things: it may go on until it has used the whole time itself (Linux; elsewhere the clock
# alone counts). A PDF of 2,138 pages needs 90 s, and took more than 600 under a load of 19.
_AT_WORK = 0.01
_PATHS_AHEAD = 4  # paths a worker has in hand
_AHEAD = 8  # messages a worker may be ahead of their use
_HEAD = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Part:
    """Some documents of a file."""

    path: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a file: read whole, or failed with a reason."""

    path: str
    reason: str = ""
    remedy: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.reason)


Message = Part | Finished


def parts_of(path: str, read: ReadFile) -> Iterator[Message]:
    """Read one file in this process."""
    group: list[Document] = []
    size = 0
    try:
        for document in read(Path(path)):
            group.append(document)
            size += len(document.text)
            if size >= GROUP_CHARACTERS or len(group) >= GROUP_DOCUMENTS:
                yield Part(path, tuple(group))
                group, size = [], 0
        if group:
            yield Part(path, tuple(group))
        yield Finished(path)
    except RagstoneError as error:
        yield Finished(path, error.what, error.remedy)
    except FileNotFoundError:
        yield Finished(path, "The file vanished while it was to be read.", "Sync again.")
    except PermissionError as error:
        yield Finished(path, f"Permission denied: {error.filename or path}.",
                       "Give this user permission to read it.")  # fmt: skip
    except OSError as error:
        yield Finished(path, f"Cannot be read: {error.strerror or error}.", "Check the disk.")
    except MemoryError:
        yield Finished(path, "It needs more memory than there is.", "Split the file.")
    except Exception as error:
        yield Finished(path, f"The parser failed: {type(error).__name__}: {error}.",
                       "Please report it, with the file if you can.")  # fmt: skip


def read_files(
    paths: Iterable[str], *, read: ReadFile, workers: int, timeout_s: float = FILE_TIMEOUT_S
) -> Generator[Message, None, None]:
    """Read files with `workers` processes (0: in this one), in the order of `paths`."""
    if workers < 1:
        for path in paths:
            yield from parts_of(path, read)
        return
    if getattr(getattr(read, "func", read), "__module__", "") == "__main__":
        raise UsageError(
            "The reader is defined in the main script, which a worker process cannot import.",
            remedy="Move it to a module of its own, or read with workers=0.",
        )
    pool = [Worker(read) for _ in range(workers)]
    try:
        waiting = iter(paths)
        running: deque[tuple[Worker, str]] = deque()
        for worker, path in zip(pool * _PATHS_AHEAD, waiting, strict=False):
            worker.ask(path)
            running.append((worker, path))
        while running:
            worker, path = running.popleft()
            yield from worker.messages(path, timeout_s)
            if (following := next(waiting, None)) is not None:
                worker.ask(following)
                running.append((worker, following))
    finally:
        for worker in pool:
            worker.stop()


class Worker:
    """One process that reads files; started at the first path, started again after a crash."""

    def __init__(self, read: ReadFile) -> None:
        self._read = read
        self._process: subprocess.Popen[bytes] | None = None
        self._inbox: queue.Queue[Message | None] = queue.Queue(_AHEAD)
        self._receiver: threading.Thread | None = None
        self._asked: deque[str] = deque()

    def ask(self, path: str) -> None:
        """Let it read a file, after those it was asked before."""
        self._asked.append(path)
        if self._process is None:
            self._start()
        else:
            self._send(path)

    def _send(self, value: object) -> None:
        process = cast("subprocess.Popen[bytes]", self._process)
        with contextlib.suppress(OSError):  # a crash shows when its messages end
            send(cast("BinaryIO", process.stdin), value)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ragstone.applications.sync_worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._inbox = queue.Queue(_AHEAD)
        out = cast("BinaryIO", self._process.stdout)
        self._receiver = threading.Thread(target=_receive_all, args=(out, self._inbox), daemon=True)
        self._receiver.start()
        self._send((sys.path, self._read))
        for path in self._asked:
            self._send(path)

    def messages(self, path: str, timeout_s: float) -> Iterator[Message]:
        """What it says of the file, to the end."""
        process = cast("subprocess.Popen[bytes]", self._process)
        last = before = _processor_s(process.pid)  # before: at its last sign of life
        while True:
            try:
                message = self._inbox.get(timeout=timeout_s)
                last = before = _processor_s(process.pid)
            except queue.Empty:
                used = _processor_s(process.pid)
                if used - before < timeout_s and used - last > _AT_WORK * timeout_s:
                    last = used
                    continue
                self._restart()
                yield Finished(path, f"The parser gave no sign of life for {timeout_s:.0f} s.",
                               "Split the file, or raise the time limit.")  # fmt: skip
                return
            if message is None:
                code = self._restart()
                yield Finished(path, f"The parser crashed on it ({_death(code)}).",
                               "Open it in its own program and save it again.")  # fmt: skip
                return
            if isinstance(message, Finished):
                self._asked.popleft()
                yield message
                return
            yield message

    def _restart(self) -> int:
        """Give up on the file in hand and go on with those after it; the exit status."""
        code = self.stop()
        self._asked.popleft()
        if self._asked:
            self._start()
        return code

    def stop(self) -> int:
        """End the process; its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(OSError):
            cast("BinaryIO", process.stdin).close()
        try:
            code = process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        receiver = cast("threading.Thread", self._receiver)
        while receiver.is_alive():  # it may be waiting for room in the queue
            with contextlib.suppress(queue.Empty):
                self._inbox.get_nowait()
            receiver.join(timeout=0.01)
        return code


def _processor_s(pid: int) -> float:
    """Processor time that a process has used, in seconds; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


def _death(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def send(stream: BinaryIO, value: object) -> None:
    """Write one pickled value with its length in front."""
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_HEAD.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> object:
    """Read one value. Raises EOFError at the end of the stream."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    (size,) = _HEAD.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


def _receive_all(stream: BinaryIO, inbox: queue.Queue[Message | None]) -> None:
    try:
        while True:
            inbox.put(cast("Message", receive(stream)))
    except (EOFError, OSError, pickle.UnpicklingError):
        inbox.put(None)
    finally:
        stream.close()
