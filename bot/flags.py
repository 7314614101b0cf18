"""What every command shares: the flags that stand before it, `--json`, and how JSON is printed."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer


def switch(name: str, told: str) -> Any:
    """A flag that takes no value; without an empty metavar the help would show one."""
    return typer.Option(name, metavar="", help=told)


JsonFlag = Annotated[bool, switch("--json", "Print JSON for programs.")]


class Flags:
    """Settings given before the command, kept for the one that follows."""

    values: Mapping[str, Any] = {}


def print_json(form: Mapping[str, Any]) -> None:
    """One line, at once: whoever reads may be waiting for it."""
    typer.echo(json.dumps(form, ensure_ascii=False))
