"""`doctor` and `config`: what state things are in, and what to do about it."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import click

from ragstone.cli.options import Common, common
from ragstone.cli.output import emit_json, say

if TYPE_CHECKING:
    from ragstone.corpus import Finding

FAILED = 1
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without loss.")
@click.option(
    "--server", is_flag=False, flag_value="", default=None, metavar="[URL]",
    help="Also look at the set-up of the server; with URL, at the one that runs there.",
)  # fmt: skip
@common
def doctor(common: Common, repair: bool, server: str | None) -> int:
    """Look for damage in the corpus and in the set-up; say how to mend it.

    With --server URL only that server is asked (with the key in RAGSTONE_KEY, if there is one).
    Exits with 1 when an error remains.
    """
    from ragstone.build import examine

    if server:
        from ragstone.serve import checkup

        findings = checkup.examine_running(server, os.environ.get(checkup.KEY_VARIABLE, ""))
    else:
        findings = examine(common.corpus, config=common.config, repair=repair)
        if server is not None:
            findings = [*findings, *_server(common)]
    if common.as_json:
        emit_json({"findings": [dict(dataclasses.asdict(finding)) for finding in findings]})
    else:
        for finding in findings:
            if finding.mended:
                click.secho(f"mended  {finding.what}", fg="green")
                continue
            mark = click.style(f"{finding.severity:<8}", fg=_COLOURS.get(finding.severity))
            click.echo(f"{mark}{finding.what}")
            if finding.remedy:
                click.echo(f"        {finding.remedy}")
        if not findings:
            click.secho("No damage found.", fg="green")
    left = [finding for finding in findings if finding.severity == "error" and not finding.mended]
    return FAILED if left else 0


def _server(common: Common) -> list[Finding]:
    from ragstone import settings
    from ragstone.serve import checkup, options, start

    return checkup.examine_set_up(
        options.load(config=common.config),
        settings.load(config=common.config),
        start.named((common.corpus,)),
    )


@click.command()
@common
def config(common: Common) -> None:
    """Print the settings in force and the files they came from."""
    from ragstone import settings

    values = dataclasses.asdict(settings.load(config=common.config))
    files = [str(path) for path in settings.config_files(common.config)]
    if common.as_json:
        emit_json({"files": list(files), "settings": dict(values)})
        return
    for path in files:
        say(f"# from {path}")
    if not files:
        say("# defaults; put changes into ragstone.toml or RAGSTONE_<KEY> variables")
    for name, value in values.items():
        shown = f'"{value}"' if isinstance(value, str) else value
        click.echo(f"{name} = {shown}")


COMMANDS = (doctor, config)
