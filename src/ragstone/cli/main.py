"""The command line: one group, its commands in modules by what they act on.

Only this room prints. Results go to standard output, progress and messages to standard
error. Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but some files failed, 4 abstained.
Heavy imports stay inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import itertools
import logging
import os
import sys
from pathlib import Path

import click

# One question needs no threads of BLAS; on a busy machine they cost ten times what they do.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ragstone import errors
from ragstone.cli import (
    answers,
    chat,
    corpora,
    documents,
    evaluations,
    inspection,
    models,
    serve,
    versions,
    writing,
)
from ragstone.cli.options import shared_options
from ragstone.cli.output import emit_json, fail, writable

# https://no-color.org, and terminals that would show the codes as they are.
NO_COLOUR = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
DONE, FAILED, WRONG_USE, SOME_FAILED, ABSTAINED = 0, 1, 2, 3, 4

EPILOG = """\b
Start here:
  ragstone sync ~/papers              read a folder into ./.ragstone
  ragstone ask "What was measured?"   an answer with exact citations
"""


_REMEDIES = {
    errno.EACCES: "Give this user permission, or name another place.",
    errno.EPERM: "Give this user permission, or name another place.",
    errno.EROFS: "Name a place on a disk that can be written.",
    errno.ENOSPC: "Make room on the disk, and run the same command again.",
    errno.EDQUOT: "Make room on the disk, and run the same command again.",
    errno.ENOENT: "Make the folder first, or name another place.",
    errno.ENOTDIR: "Name a place whose parents are folders.",
    errno.EISDIR: "That is a folder: name a file.",
    errno.ENAMETOOLONG: "Use a shorter name.",
}


class _Ordered(click.Group):
    """Lists commands in the order a newcomer needs them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Ordered, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ragstone", prog_name="ragstone")
@shared_options
def group() -> None:
    """Answers from your own documents: cites what it can prove, says when it cannot.

    --corpus, --config and --json may stand before the command or after it; after it wins.
    """


for module in (
    corpora,
    answers,
    chat,
    writing,
    documents,
    versions,
    serve,
    evaluations,
    models,
    inspection,
):
    for command in module.COMMANDS:
        group.add_command(command)


def main() -> None:
    """Run the command line; every error that can be foreseen ends as a clear message."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
    writable()
    as_json = "--json" in itertools.takewhile(lambda word: word != "--", sys.argv[1:])
    try:
        code = group.main(standalone_mode=False, color=False if NO_COLOUR else None)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else DONE)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        if as_json:
            emit_json({"error": {"what": error.format_message(), "remedy": _help_of(error)}})
        sys.exit(WRONG_USE if isinstance(error, click.UsageError) else FAILED)
    except (KeyboardInterrupt, click.Abort):
        what = "Interrupted. What was committed stays; run the same command to go on."
        fail(what, as_json=as_json)
        sys.exit(130)
    except errors.UsageError as error:
        fail(error.what, remedy=error.remedy, as_json=as_json)
        sys.exit(WRONG_USE)
    except errors.RagstoneError as error:
        fail(error.what, remedy=error.remedy, as_json=as_json)
        sys.exit(FAILED)
    except BrokenPipeError:  # whoever read has gone: nothing more can be said to them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:  # a full disk, a folder without rights: nothing of ours is wrong
        place = f"{os.fspath(error.filename)}: " if isinstance(error.filename, str | Path) else ""
        fail(
            f"The system refused: {place}{error.strerror or error}.",
            remedy=_REMEDIES.get(error.errno or 0, "Mend that, and run the same command again."),
            as_json=as_json,
        )
        sys.exit(FAILED)


def _help_of(error: click.ClickException) -> str:
    """What click says under a wrong use, as a remedy."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See `{context.command_path} --help`." if context is not None else ""


if __name__ == "__main__":
    main()
