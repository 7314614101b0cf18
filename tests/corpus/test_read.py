import os
from pathlib import Path

import pytest

from corpus import read
from corpus.article import Article, FailedFile
from corpus.errors import UnreadableFile
from corpus.read import read_article, read_folder

HUGO = """---
title: "茶的故事：從山到杯"
date: 2025-03-04T05:06:07+08:00
description: "一杯茶的路。"
tags: ["茶", "山"]
categories: ["飲食"]
author: 林小山
image: "/images/tea.webp"
source_url: "https://example.org/tea"
source_name: "山上的節目"
related_people: []
draft: false
---

> 本文整理自《山上的節目》。

{{< youtube abc123 >}}

## 採茶

清晨五點，大家上山。

## 製茶

炒、揉、烘。
"""

WECHAT = """# 一只猫的三种睡法：研究者数了两年

文章作者: 猫头条
发布时间: 2024-02-03 09:30
发布地: 上海
原文链接: http://mp.weixin.qq.com/s?__biz=Mz==&mid=1&sn=a_b_c#rd

封面图链接: https://mmbiz.qpic.cn/x/300

##### 阿福 发自 西门町\x20\x20
猫头条 | 公众号 CatDaily

猫有**三种睡法** ，每种都有名字。

![](https://mmbiz.qpic.cn/y/640)

## 侧睡

论文地址：\x20\x20
https://example.org/a-very-long-
name.pdf

**一键三连「点赞」「转发」「在看」**
"""

HTML = """<!DOCTYPE html>
<html><head><title>港口的鐘 - 某某網</title>
<meta name="author" content="陳一平"><meta name="keywords" content="港口,鐘">
<meta property="article:published_time" content="2023-11-12T13:14:15+08:00">
<link rel="canonical" href="https://example.org/clock">
<style>p { color: red }</style><script>var bad = 1</script></head>
<body><nav>首頁 關於</nav><header><h1>港口的鐘</h1></header>
<article><p>港口有一座<b>鐘</b>，
每天<a href="/x">敲十二下</a>。<br>下雨也敲。</p>
<ul><li>早上</li><li>晚上<ul><li>除夕</li></ul></li></ul>
<h2>修理</h2>
<table><thead><tr><th>年</th><th>人</th></tr></thead>
<tbody><tr><td>1950</td><td><p>老張</p></td></tr></tbody></table>
<pre>a = 1
  b = 2</pre></article><footer>版權</footer></body></html>
"""


def write(root: Path, name: str, source: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return path


def article(root: Path, source: str | bytes, name: str = "a.md") -> Article:
    found = read_article(write(root, name, source), root)
    assert found is not None
    return found


def reason(root: Path, source: str | bytes, name: str = "a.md") -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_article(write(root, name, source), root)
    assert caught.value.path == name
    return caught.value.reason


# --- forms ----------------------------------------------------------------------------------


def test_hugo_gives_its_fields_and_keeps_the_lines_one_may_ask_about(tmp_path: Path) -> None:
    found = article(tmp_path, HUGO, "posts/tea.md")

    assert found.text == (
        'title: "茶的故事：從山到杯"\n'
        "date: 2025-03-04T05:06:07+08:00\n"
        'description: "一杯茶的路。"\n'
        'tags: ["茶", "山"]\n'
        'categories: ["飲食"]\n'
        "author: 林小山\n"
        'source_name: "山上的節目"\n'
        'source_url: "https://example.org/tea"\n'
        "\n"
        "本文整理自《山上的節目》。\n\n採茶\n\n清晨五點，大家上山。\n\n製茶\n\n炒、揉、烘。"
    )
    assert found.text[found.body_start :].startswith("本文整理自")
    assert [(h.level, h.title) for h in found.headings] == [(2, "採茶"), (2, "製茶")]
    assert found.id == "posts/tea"
    assert found.path == "posts/tea.md"
    assert found.title == "茶的故事：從山到杯"
    assert found.url == "https://example.org/tea"
    assert found.author == "林小山"
    assert found.date == "2025-03-04T05:06:07+08:00"
    assert found.tags == ("茶", "山")
    assert found.form == "hugo"


def test_a_wechat_export_gives_its_fields_and_its_byline(tmp_path: Path) -> None:
    found = article(tmp_path, WECHAT, "cat.txt")

    assert found.text == (
        "一只猫的三种睡法：研究者数了两年\n"
        "文章作者: 猫头条\n"
        "发布时间: 2024-02-03 09:30\n"
        "发布地: 上海\n"
        "阿福 发自 西门町\n"
        "猫头条 | 公众号 CatDaily\n"
        "原文链接: http://mp.weixin.qq.com/s?__biz=Mz==&mid=1&sn=a_b_c#rd\n"
        "\n"
        "猫有三种睡法，每种都有名字。\n\n侧睡\n\n论文地址：\nhttps://example.org/a-very-long-name.pdf"
    )
    assert found.text[found.body_start :].startswith("猫有三种睡法")
    assert found.title == "一只猫的三种睡法：研究者数了两年"
    assert found.url == "http://mp.weixin.qq.com/s?__biz=Mz==&mid=1&sn=a_b_c#rd"
    assert found.author == "猫头条"
    assert found.date == "2024-02-03T09:30"
    assert found.form == "wechat"
    assert found.id == "cat.txt"


ABSTRACT = "摘要：猫怎么睡，研究者数了两年。三种睡法，各有名字！"


@pytest.mark.parametrize(
    "before", ["# 一只猫的三种睡法：研究者数了两年\n\n", "文章作者: 猫头条\n", "发布地: 上海\n"]
)
def test_the_abstract_of_an_export_is_one_of_its_fields(tmp_path: Path, before: str) -> None:
    found = article(tmp_path, WECHAT.replace(before, f"{before}{ABSTRACT}\n"), "cat.txt")

    assert ABSTRACT in found.text[: found.body_start].split("\n")
    assert found.title == "一只猫的三种睡法：研究者数了两年"
    assert found.author == "猫头条"
    assert found.url
    assert found.text[found.body_start :].startswith("猫有三种睡法")


def test_an_abstract_alone_is_text(tmp_path: Path) -> None:
    found = article(tmp_path, f"# 猫\n\n{ABSTRACT}\n\n猫有三种睡法。\n", "cat.md")

    assert ABSTRACT in found.text[found.body_start :]


@pytest.mark.parametrize(
    "head",
    [
        "# 題\n\n作者：王小明\n發布時間：2024年1月5日 17:45\n發布地：台北\n原文連結：https://e.org/b\n",
        "# 題\n**作者：** 王小明\n**發佈時間**：2024/1/5 17:45\n- 發佈地: 台北\n原文鏈接: [看](https://e.org/b)",
        "題\n\n> 作者: 王小明\n> 發布日期: 2024-01-05T17:45\n> 發布地: 台北\n> 原文網址: <https://e.org/b>",
    ],
    ids=["full-width", "marked", "quoted"],
)
def test_traditional_and_marked_metadata_lines_are_read_too(tmp_path: Path, head: str) -> None:
    found = article(tmp_path, head + "\n\n![](https://e.org/1.png)\n\n正文在這裡。")

    assert (found.title, found.author, found.date) == ("題", "王小明", "2024-01-05T17:45")
    assert found.url == "https://e.org/b"
    assert "https://e.org/b" in found.text
    assert found.form == "wechat"
    assert found.text[found.body_start :] == "正文在這裡。"


def test_a_paragraph_that_begins_like_a_metadata_line_is_none(tmp_path: Path) -> None:
    found = article(tmp_path, "来源：港口日报。今天早上，第一班船准时出发了，船上坐满了人。\n")

    assert (found.body_start, found.form) == (0, "markdown")


def test_a_page_gives_what_its_meta_elements_say_and_its_main_part(tmp_path: Path) -> None:
    found = article(tmp_path, HTML, "clock.html")

    assert found.text == (
        "title: 港口的鐘\n"
        "author: 陳一平\n"
        "date: 2023-11-12T13:14:15+08:00\n"
        "tags: 港口,鐘\n"
        "source_url: https://example.org/clock\n"
        "\n"
        "港口有一座鐘，每天敲十二下。\n下雨也敲。\n\n早上\n晚上\n除夕\n\n修理\n\n"
        "年 | 人\n1950 | 老張\n\na = 1\n  b = 2"
    )
    assert [(h.level, h.title) for h in found.headings] == [(2, "修理")]
    assert (found.title, found.author, found.tags) == ("港口的鐘", "陳一平", ("港口", "鐘"))
    assert found.url == "https://example.org/clock"
    assert found.form == "html"


def test_a_table_for_the_layout_of_a_page_is_no_table_of_data(tmp_path: Path) -> None:
    page = "<html><body><table><tr><td><h1>題</h1><p>一。</p><p>二。</p></td></tr></table>"

    assert article(tmp_path, page, "a.htm").text == "題\n\n一。\n\n二。"


def test_pages_nest_as_deep_as_they_like(tmp_path: Path) -> None:
    assert article(tmp_path, "<html><body>" + "<div>" * 3000 + "深處", "a.html").text == "深處"


def test_the_form_is_told_by_the_content_and_not_by_the_suffix(tmp_path: Path) -> None:
    assert article(tmp_path, HUGO, "a.txt").form == "hugo"
    assert article(tmp_path, WECHAT, "b.md").form == "wechat"
    assert article(tmp_path, HTML, "c.txt").form == "html"
    assert article(tmp_path, "# 題\n\n**文**", "d.txt").form == "markdown"
    assert article(tmp_path, "只有一行字", "e.html").form == "markdown"
    assert article(tmp_path, "---\ntitle: 題\n---\n<p>一</p><p>二</p>", "f.html").form == "hugo"


def test_plain_text_keeps_its_lines(tmp_path: Path) -> None:
    found = article(tmp_path, "春曉\r\n\r\n春眠不覺曉，\r\n處處聞啼鳥。\r\n", "poem.txt")

    assert found.text == "春曉\n\n春眠不覺曉，\n處處聞啼鳥。"
    assert (found.title, found.form, found.body_start) == ("春曉", "text", 0)


@pytest.mark.parametrize(
    ("name", "source", "title"),
    [
        ("a.md", "# 一級 `標題`\n\n文。", "一級 標題"),
        ("a.md", "## 二級\n\n文。", "二級"),
        ("a.md", "文。\n\n## 後來\n\n文。", "a"),
        ("某一篇.txt", "這一句話很完整。\n第二句。", "某一篇"),
        ("my-post/index.md", "文。", "my-post"),
        ("a.md", "---\ntitle: 1984\n---\n文。", "1984"),
        ("a.md", "---\ntitle: 2024-01-02\n---\n文。", "2024-01-02"),
        ("a.md", "---\ntitle: null\n---\n# 後備\n\n文。", "後備"),
        ("a.md", "---\ntitle: [甲, 乙]\n---\n文。", "甲"),
        ("a.md", "+++\ntitle = '託莫'\n+++\n文。", "託莫"),
        ("a.md", '{"title": "傑森"}\n文。', "傑森"),
    ],
)
def test_titles(tmp_path: Path, name: str, source: str, title: str) -> None:
    assert article(tmp_path, source, name).title == title


def test_toml_front_matter_with_tables_and_dates(tmp_path: Path) -> None:
    found = article(
        tmp_path,
        '+++\ntitle = "題"\ndate = 2024-05-06T07:08:09+08:00\ntags = ["a",\n  "b"]\n\n'
        '[params]\nauthor = "某人"\nsource_url = "https://e.org"\n+++\n\n正文。\n',
    )

    assert (found.author, found.url, found.tags) == ("某人", "https://e.org", ("a", "b"))
    assert found.date == "2024-05-06T07:08:09+08:00"
    assert 'tags = ["a",\n  "b"]' in found.text[: found.body_start]


def test_values_of_other_types_do_no_harm(tmp_path: Path) -> None:
    found = article(
        tmp_path,
        "---\ntitle: true\ndate: 20\nauthor: {name: 甲, site: x}\ntags: {a: 1}\n"
        "1: 2\nnull: 3\nurl: /local/\n---\n文。",
    )

    assert (found.title, found.author, found.date, found.url, found.tags) == (
        "true",
        "甲",
        None,
        None,
        (),
    )


def test_tags_and_authors_may_be_lists_lines_or_words(tmp_path: Path) -> None:
    lines = article(tmp_path, "---\ntags:\n  - 甲\n  - 3\n  - null\nauthors: [一, 二]\n---\n文。")
    words = article(tmp_path, "---\ntags: 甲, 乙、丙\n---\n文。")

    assert lines.tags == ("甲", "3")
    assert lines.author == "一、二"
    assert lines.text.startswith("tags:\n  - 甲\n  - 3\n")
    assert words.tags == ("甲", "乙", "丙")


def test_rules_at_the_beginning_are_no_front_matter(tmp_path: Path) -> None:
    found = article(tmp_path, "---\n\n第一段。\n\n---\n\n第二段。")

    assert (found.form, found.text) == ("markdown", "第一段。\n\n第二段。")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings_change_nothing(tmp_path: Path, encoding: str) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"

    assert article(other, WECHAT.encode(encoding)) == article(plain, WECHAT)


# --- what is left out, what fails -----------------------------------------------------------


@pytest.mark.parametrize("word", ["true", "True", "yes", '"true"'])
def test_a_draft_is_no_article_and_no_failure(tmp_path: Path, word: str) -> None:
    path = write(tmp_path, "a.md", f"---\ntitle: x\ndraft: {word}\n---\n文。")

    assert read_article(path, tmp_path) is None
    assert read_folder(tmp_path) == ([], [])


def test_a_section_page_without_words_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "posts/_index.md", "---\ntitle: 文章\n---\n")
    write(tmp_path, "notes/_index.md", "---\ntitle: 筆記\n---\n這裡是筆記。")

    articles, failed = read_folder(tmp_path)

    assert [found.id for found in articles] == ["notes/_index"]
    assert failed == []


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(" \n\u3000\n", "is empty", id="white-space"),
        pytest.param("---\ntitle: 題\n---\n", "has no text after its metadata", id="only-head"),
        pytest.param("![](a.png)", "has no text", id="only-a-picture"),
        pytest.param("---\ntitle: [a\n---\n文", "not valid YAML (line 3)", id="yaml"),
        pytest.param("---\ntitle: 甲: 乙\n---\n文", "not valid YAML (line 2)", id="yaml-colon"),
        pytest.param("---\na: " + "[" * 9000 + "\n---\n文", "not valid YAML", id="yaml-deep"),
        pytest.param("---\na: &a [*a]\nb: !!x y\n---\n", "", id="yaml-odd"),
        pytest.param("+++\ntitle = \n+++\n文", "not valid TOML", id="toml"),
        pytest.param("---\ntitle: 甲\n\n文", "has no closing line", id="unclosed"),
        pytest.param("---\na: " + "x" * 70_000 + "\n---\n文", "longer than 64 KB", id="long-head"),
        pytest.param(b"\x00\x01\x02\x03" * 99, "control characters", id="binary"),
        pytest.param(b"%PDF-1.5 ", "a PDF document", id="pdf"),
    ],
)
def test_a_file_that_is_no_article_says_why(tmp_path: Path, source: str | bytes, why: str) -> None:
    assert why in reason(tmp_path, source)


def test_stray_nul_bytes_are_dropped(tmp_path: Path) -> None:
    assert article(tmp_path, "一段文\x00字。\n").text == "一段文字。"


def test_a_file_above_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "LIMIT", 2**20)

    assert reason(tmp_path, b"x" * (2**20 + 2**19)) == "is 1.5 MB large; the limit is 1 MB"


def test_the_limit_is_twenty_megabytes() -> None:
    assert read.LIMIT == 20 * 1024 * 1024


def test_one_bad_file_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path, "b/good.md", "# 好\n\n文。")
    write(tmp_path, "b/bad.md", "---\ntitle: [a\n---\n文")
    write(tmp_path, "a.html", b"\xff\xfe\xff\xff\xff")
    write(tmp_path, "c.markdown", "文。")
    write(tmp_path, "d.docx", b"PK\x03\x04")
    write(tmp_path, ".hidden.md", "文。")
    write(tmp_path, ".git/x.md", "文。")
    (tmp_path / "dangling.md").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.md")

    articles, failed = read_folder(tmp_path)

    assert [found.path for found in articles] == ["b/good.md", "c.markdown"]
    assert [file.path for file in failed] == ["a.html", "b/bad.md", "dangling.md", "pipe.md"]
    assert failed[2] == FailedFile("dangling.md", "is gone, or a link to nothing")
    assert failed[3] == FailedFile("pipe.md", "is not an ordinary file")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to the superuser")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "文。").chmod(0)

    assert read_folder(tmp_path) == ([], [FailedFile("a.md", "no permission to read it")])


def test_no_permission_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "a.md", "文。")
    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(UnreadableFile, match=r"a\.md: no permission to read it"):
        read_article(path, tmp_path)


def test_a_folder_named_like_an_article_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "x.md/inside.md", "文。")

    assert [found.id for found in read_folder(tmp_path)[0]] == ["x.md/inside"]
    with pytest.raises(UnreadableFile, match="is a folder"):
        read_article(tmp_path / "x.md", tmp_path)


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, "a/one.md", "文。")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")

    assert [found.id for found in read_folder(tmp_path)[0]] == ["a/one"]


def test_the_second_file_of_one_id_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "甲。")
    write(tmp_path, "a.txt.md", "乙。")

    articles, failed = read_folder(tmp_path)

    assert [found.path for found in articles] == ["a.txt"]
    assert failed == [FailedFile("a.txt.md", "has the same id as a.txt")]


def test_a_name_that_is_no_utf_8_is_named_readably(tmp_path: Path) -> None:
    write(tmp_path, os.fsdecode(b"\xa4\xa4.md"), "文。")

    _, failed = read_folder(tmp_path)

    assert failed == [FailedFile("\ufffd\ufffd.md", "its name is not valid UTF-8")]


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such folder"):
        read_folder(tmp_path / "nowhere")


def test_the_order_is_that_of_the_paths_and_progress_is_told(tmp_path: Path) -> None:
    for name in ("c.md", "a/z.md", "B.md", "a.md"):
        write(tmp_path, name, "文。")
    told: list[tuple[int, int]] = []

    articles, _ = read_folder(tmp_path, progress=lambda done, total: told.append((done, total)))

    assert [found.path for found in articles] == ["B.md", "a.md", "a/z.md", "c.md"]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_article_may_be_named_by_its_path_below_the_root(tmp_path: Path) -> None:
    write(tmp_path, "a/b.md", "文。")

    found = read_article(Path("a/b.md"), tmp_path)

    assert found is not None
    assert found.id == "a/b"
