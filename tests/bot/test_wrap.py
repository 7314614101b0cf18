"""Line breaks for Chinese in a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from bot.wrap import wrapped


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("模型很強", 4, ["模型", "很強"]),
        ("模型很強。", 8, ["模型很", "強。"]),
        ("用 o1 模型", 6, ["用 o1", "模型"]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("一\n二", 10, ["一", "二"]),
        ("", 10, [""]),
    ],
)
def test_chinese_breaks_anywhere_but_before_a_closing_mark(
    text: str, width: int, lines: list[str]
) -> None:
    assert [line.plain for line in wrapped(Text(text), width)] == lines


@given(st.text("模型。，」a b1😀", max_size=40), st.integers(4, 20))
def test_no_line_is_too_wide_and_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    lines = [line.plain for line in wrapped(Text(text), width)]

    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
