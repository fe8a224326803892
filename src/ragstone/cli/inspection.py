"""`doctor` and `config`: what state things are in, and what to do about it."""

from __future__ import annotations

import dataclasses

import click

from ragstone.cli.options import Common, common
from ragstone.cli.output import emit_json, out, say

FAILED = 1
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without loss.")
@common
def doctor(common: Common, repair: bool) -> int:
    """Look for damage in the corpus and in the set-up; say how to mend it.

    Exits with 1 when an error remains.
    """
    from ragstone.build import examine

    findings = examine(common.corpus, config=common.config, repair=repair)
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
        out().print(f"{name} = {shown}", markup=False)


COMMANDS = (doctor, config)
