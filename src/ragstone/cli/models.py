"""`models list|pull|path`: the language models that can be had by name."""

from __future__ import annotations

import click

DEFAULT_MODEL = "SmolLM2-135M"


@click.group()
def models() -> None:
    """The local language model: list, pull, path."""


COMMANDS = (models,)
