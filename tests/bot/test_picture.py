"""Messages become pages and pictures in Discord's look."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot import picture

MESSAGE: dict[str, Any] = {
    "flags": 1 << 15,
    "components": [
        {
            "type": 17,
            "accent_color": 0x5865F2,
            "components": [
                {"type": 10, "content": "## 標題\n**粗** [1]"},
                {"type": 14, "divider": True, "spacing": 1},
                {
                    "type": 9,
                    "components": [{"type": 10, "content": "> 引文"}],
                    "accessory": {"type": 2, "style": 2, "label": "看段落", "custom_id": "p"},
                },
            ],
        },
        {"type": 1, "components": [{"type": 2, "style": 5, "label": "原文", "url": "https://a.b"}]},
    ],
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**粗** *斜* ~~刪~~", "<div><b>粗</b> <em>斜</em> <s>刪</s></div>"),
        ("## 標題", "<h2>標題</h2>"),
        ("-# 小字", "<small>小字</small>"),
        ("-# 小字\n正文", "<small>小字</small><div>正文</div>"),
        ("`a*b*`", "<div><code>a*b*</code></div>"),
        (r"\*不斜\*", "<div>*不斜*</div>"),
        ("<b>&", "<div>&lt;b&gt;&amp;</div>"),
        ("[名](https://a.b/c)", '<div><span class="url">名</span></div>'),
        ("[**粗**](https://a.b)", '<div><span class="url"><b>粗</b></span></div>'),
        ("第 [1] 項", "<div>第 [1] 項</div>"),
        ("snake_case_name", "<div>snake_case_name</div>"),
        ("```py\nx = 1\n```", "<pre>x = 1</pre>"),
        ("</ask:123>", '<div><span class="at">/ask</span></div>'),
    ],
)
def test_markdown_is_discords(text: str, shown: str) -> None:
    assert picture.markdown(text) == shown


def test_a_quote_ends_where_its_lines_end() -> None:
    shown = picture.markdown("> 甲\n> 乙\n丙")

    assert "<blockquote><div>甲</div><div>乙</div></blockquote>" in shown
    assert shown.endswith("<div>丙</div>")


def test_a_page_holds_every_part_of_the_message() -> None:
    page = picture.page(MESSAGE, picture.Frame(asked="小明 使用了 **/ask**"))

    for part in ("<h2>標題</h2>", "引文", "看段落", "原文", "#5865f2", "小明", 'lang="zh-Hant"'):
        assert part in page


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = picture.page(MESSAGE)

    assert "src=" not in page
    assert "@import" not in page


def test_only_ephemeral_messages_say_so() -> None:
    assert "只有您能看到" not in picture.page({"content": "好"})
    assert "只有您能看到此消息" in picture.page(
        {"content": "好", "flags": 64}, picture.Frame(lang="zh-Hans")
    )


def test_a_callback_is_taken_as_its_message(tmp_path: Path) -> None:
    source, to = tmp_path / "callback.json", tmp_path / "out.html"
    source.write_text(json.dumps({"type": 4, "data": MESSAGE}), "utf-8")
    picture.main([str(source), str(to)])

    assert "看段落" in to.read_text("utf-8")


def test_without_chromium_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(picture.NoChromium, match="install it"):
        picture.png("<p>", tmp_path / "out.png")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_picture_is_as_high_as_the_message(tmp_path: Path) -> None:
    short, long = tmp_path / "short.png", tmp_path / "long.png"
    picture.png(picture.page({"content": "一行"}), short)
    picture.png(picture.page({"content": "一行\n" * 80}), long)

    assert _size(short)[0] == _size(long)[0] == 2 * picture.WIDTH
    assert _size(short)[1] < 300
    assert _size(long)[1] > 3000


def _size(png: Path) -> tuple[int, int]:
    header = png.read_bytes()[16:24]
    return int.from_bytes(header[:4]), int.from_bytes(header[4:])
