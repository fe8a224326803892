"""The command line: one group, its commands in modules by what they act on.

Only this room prints. Results go to standard output, progress and messages to standard
error. Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but some files failed, 4 abstained.
Heavy imports stay inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import os
import sys

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
from ragstone.cli.output import fail

DONE, FAILED, WRONG_USE, SOME_FAILED, ABSTAINED = 0, 1, 2, 3, 4

EPILOG = """\b
Start here:
  ragstone sync ~/papers              read a folder into ./.ragstone
  ragstone ask "What was measured?"   an answer with exact citations
"""


class _Ordered(click.Group):
    """Lists commands in the order a newcomer needs them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Ordered, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ragstone", prog_name="ragstone")
def group() -> None:
    """Answers from your own documents: cites what it can prove, says when it cannot."""


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
    as_json = "--json" in sys.argv
    try:
        code = group.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else DONE)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        sys.exit(WRONG_USE if isinstance(error, click.UsageError) else FAILED)
    except (KeyboardInterrupt, click.Abort):
        fail("Interrupted. What was committed stays; run the same command to go on.", as_json=False)
        sys.exit(130)
    except errors.UsageError as error:
        fail(error.what, remedy=error.remedy, as_json=as_json)
        sys.exit(WRONG_USE)
    except errors.RagstoneError as error:
        fail(error.what, remedy=error.remedy, as_json=as_json)
        sys.exit(FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
