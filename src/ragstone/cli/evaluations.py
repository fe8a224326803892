"""`eval` and `compare`: measuring retrieval and answers on collections with judgements."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

COMMANDS: tuple[click.Command, ...] = ()
