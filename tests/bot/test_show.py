"""What a person reads in a terminal: labels, indents and excerpts."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from bot.escape import one_line
from bot.show import say


def said(text: str, label: str, width: int | None) -> list[str]:
    """The lines of a text with a label before an indent of four; piped without a width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=width is not None)
    say(Text(text), 4, Text(label), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_in_a_terminal_all_lines_stand_below_the_first() -> None:
    lines = said("模型為了達到目的而假裝", "[1]", 12)

    assert lines == ["[1] 模型為了", "    達到目的", "    而假裝"]


def test_a_pipe_gets_one_line_a_paragraph() -> None:
    lines = said("模型為了達到目的而假裝\n\n又一段", "[1]", None)

    assert lines == ["[1] 模型為了達到目的而假裝", "", "    又一段"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("第一句。\n第二句。", "第一句。第二句。"),
        ("「引文」\n\n  下一段", "「引文」下一段"),
        ("標題\n內文", "標題 內文"),
        ("An end.\nA start.", "An end. A start."),
        ("一。 二", "一。 二"),
    ],
)
def test_a_line_break_after_a_full_width_mark_leaves_no_blank(text: str, line: str) -> None:
    assert one_line(text) == line
