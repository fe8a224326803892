"""`models list|pull|path`: the models that lie on this machine, or can be pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from ragstone.cli.options import Common, common, shared_options
from ragstone.cli.output import emit_json, say
from ragstone.cli.progress import ProgressLine


@click.group()
@shared_options
def models() -> None:
    """Local models (language model, encoders, rerankers): list, pull, path."""


@models.command("list")
@common
def list_models(common: Common) -> None:
    """List the models that are here or can be pulled."""
    from ragstone.models.registry import list_models as known_models

    known = known_models()
    if common.as_json:
        emit_json(
            {
                "models": [
                    {
                        "name": model.name,
                        "kind": model.kind,
                        "path": str(model.path),
                        "present": model.present,
                        "size_bytes": model.size_bytes,
                        "license": model.license,
                    }
                    for model in known
                ]
            }
        )
        return
    for model in known:
        state = "here" if model.present else "can be pulled"
        size = f"{model.size_bytes / 1e6:.0f} MB"
        click.echo(
            f"{model.name:<26} {model.kind:<15} {size:>6}  {state:<14} {model.license}".rstrip()
        )


@models.command()
@click.argument("name", required=False)
@common
def pull(common: Common, name: str | None) -> None:
    """Fetch the model NAME (the built-in one, when left out) once, checked by its sha256."""
    from ragstone.models import registry

    known = name or registry.BUILT_IN
    with download_bar(known) as on_progress:
        path = registry.pull(known, on_progress=on_progress)
    if common.as_json:
        emit_json({"name": known, "path": str(path)})
    else:
        say(f"{known} is at {path}")


@models.command()
@click.argument("name", required=False)
@common
def path(common: Common, name: str | None) -> None:
    """Print where the model NAME lies."""
    from ragstone.models import registry

    known = name or registry.BUILT_IN
    found = registry.model_path(known)
    if common.as_json:
        emit_json({"name": known, "path": str(found)})
    else:
        click.echo(found)


@contextmanager
def download_bar(name: str = "SmolLM2-135M") -> Iterator[Callable[[int, int], None]]:
    """A progress line that appears with the first byte; in a pipe, one line at the beginning."""
    begun = False
    with ProgressLine() as line:

        def show(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                say(f"Fetching the model {name} ({total / 1e6:.0f} MB), once.")
                begun = True
            line.show("fetching", done=done // 10**6, total=total // 10**6, unit="MB")
            if total and done >= total:
                line.clear()

        yield show


COMMANDS = (models,)
