import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.clean import clean


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # emphasis, and the spaces that exports leave around it
        pytest.param("在**早晨** ，街上", "在早晨，街上", id="space-before-comma"),
        pytest.param("路上**没有人** 了。", "路上没有人了。", id="space-between-han"),
        pytest.param("他问**为什么** ？？", "他问为什么？？", id="space-before-question"),
        pytest.param("**晨跑** （Jogging）", "晨跑（Jogging）", id="space-before-bracket"),
        pytest.param("答**一个问题** “在哪里”", "答一个问题“在哪里”", id="space-before-quote"),
        pytest.param("用 **Rust 1.0** 重寫", "用 Rust 1.0 重寫", id="space-after-latin-stays"),
        pytest.param("這是 **重點** 所在", "這是重點所在", id="spaces-on-both-sides"),
        pytest.param("**「好」**的", "「好」的", id="marks-that-commonmark-would-not-read"),
        pytest.param("***很*** *重* _要_ ~~嗎~~", "很重要嗎", id="other-marks"),
        pytest.param("**甲**\n，乙", "甲，乙", id="mark-before-a-wrapped-line"),
        pytest.param("**沒有結尾的標記", "沒有結尾的標記", id="unpaired"),
        pytest.param("2 * 3 * 4，2**10，a ** b", "2 * 3 * 4，2**10，a ** b", id="no-emphasis"),
        pytest.param("snake_case_name 與 __init__", "snake_case_name 與 __init__", id="names"),
        pytest.param(r"\*星\* 1\. 3\_4", "*星* 1. 3_4", id="escapes"),
        # code, formulas, tags
        pytest.param("用 `a*b*c` 與 ``x`y``", "用 a*b*c 與 x`y", id="inline-code"),
        pytest.param("價格 $x_1*y_2*z$ 與 $5 到 $6", "價格 $x_1*y_2*z$ 與 $5 到 $6", id="formula"),
        pytest.param("一<br>二<b>三</b><!-- 無 -->", "一\n二三", id="tags"),
        pytest.param("輸出 <think> 與 List<T>", "輸出 <think> 與 List<T>", id="not-tags"),
        pytest.param("A&amp;B&nbsp;&lt;C&#x4e2d;", "A&B <C中", id="entities"),
        # links and pictures
        pytest.param("見[說明](https://a.org/x_(1)_y '題')。", "見說明。", id="link"),
        pytest.param("見 https://a.org/b_c_d*e* 。", "見 https://a.org/b_c_d*e* 。", id="bare-url"),
        pytest.param("見 <https://a.org/b>。", "見 https://a.org/b。", id="autolink"),
        pytest.param("前![圖](https://a.org/1.png)後", "前後", id="picture"),
        pytest.param("[![圖](a.png)](https://a.org)尾", "尾", id="linked-picture"),
        pytest.param("[甲][x]。\n\n[x]: https://a.org", "甲。", id="reference-link"),
        pytest.param("![圖][x][乙][]。\n\n[x]: a.png\n[乙]: b", "乙。", id="other-references"),
        pytest.param("[下載][領紅包]好", "[下載][領紅包]好", id="brackets-that-are-no-link"),
        pytest.param(
            "見[1]。\n\n[1]: https://a.org\n[2]: https://b.org",
            "見[1]。\n\n[1]: https://a.org\n[2]: https://b.org",
            id="list-of-references",
        ),
        pytest.param(
            "参考：  \n[1]https://a.org/b\n[2]https://a.org/c",
            "参考：\n[1]https://a.org/b\n[2]https://a.org/c",
            id="references-on-lines",
        ),
        pytest.param("甲[^1]。\n\n[^1]: 註解。", "甲。\n\n註解。", id="footnote"),
        # lines
        pytest.param("第一行\n第二行", "第一行第二行", id="wrapped-han"),
        pytest.param("two\nwords", "two words", id="wrapped-latin"),
        pytest.param("在 Linux 上\nDebian 也行", "在 Linux 上 Debian 也行", id="wrapped-spaced"),
        pytest.param("在Linux上\nDebian也行", "在Linux上Debian也行", id="wrapped-tight"),
        pytest.param("state-of-the-\nart", "state-of-the-art", id="wrapped-hyphen"),
        pytest.param("甲  \n乙\\\n丙", "甲\n乙\n丙", id="hard-breaks"),
        pytest.param(
            "https://a.org/a-long-\nname-of-a-\npaper.pdf",
            "https://a.org/a-long-name-of-a-paper.pdf",
            id="wrapped-url",
        ),
        pytest.param("https://a.org/\nNext word", "https://a.org/ Next word", id="url-then-word"),
        pytest.param("https://a.org/x\n下一行", "https://a.org/x 下一行", id="url-then-han"),
        pytest.param("甲\r\n\r\n乙\x00\x07\x85丙\t丁", "甲\n\n乙丙\t丁", id="controls"),
        pytest.param("ＡＢＣ，﹐e\u0301 ﬁ 裏裡", "ＡＢＣ，﹐e\u0301 ﬁ 裏裡", id="characters-stay"),
        # blocks
        pytest.param("> 引文\n> 續\n>\n> 二", "引文續\n\n二", id="blockquote"),
        pytest.param("> [!NOTE]\n> 內容", "內容", id="callout"),
        pytest.param("- 甲\n- 乙\n  - 丙\n\n- [x] 丁", "甲\n乙\n丙\n丁", id="bullets"),
        pytest.param("1. 甲\n2. 乙", "1. 甲\n2. 乙", id="numbers"),
        pytest.param("| 甲 | 乙 |\n|---|---|\n| 1 | **2** |", "甲 | 乙\n1 | 2", id="table"),
        pytest.param("```py\nx = [1]\n\n# **k**\n```", "x = [1]\n\n# **k**", id="code"),
        pytest.param("甲\n\n---\n\n乙", "甲\n\n乙", id="rule"),
        pytest.param("    縮排的一段文字。", "縮排的一段文字。", id="indented-han"),
        pytest.param("<table><tr><td>甲</td><td>乙</td></tr></table>", "甲 | 乙", id="html-table"),
        pytest.param("甲\n\n<!-- 沒有\n\n結尾", "甲\n\n沒有\n\n結尾", id="unclosed-comment"),
        # shortcodes
        pytest.param("{{< youtube abc >}}\n\n文", "文", id="shortcode"),
        pytest.param("{{% notice %}}\n內**文**\n{{% /notice %}}", "內文", id="paired-shortcode"),
        pytest.param('見[甲]({{< ref "b.md" >}})', "見甲", id="shortcode-in-a-link"),
        pytest.param(
            "{{< highlight py >}}\na = '**'\n{{< /highlight >}}", "a = '**'", id="highlight"
        ),
        pytest.param("```\n{{< x >}} <!-- y -->\n```", "{{< x >}} <!-- y -->", id="shown-code"),
    ],
)
def test_words_stay_and_marks_go(source: str, text: str) -> None:
    assert clean(source)[0] == text


def test_headings_are_paragraphs_with_their_places() -> None:
    text, headings = clean("# 大標 {#a}\n\n一。\n\n##小標\n二。\n\n底線\n===\n\n## **粗** `碼`\n")

    assert text == "大標\n\n一。\n\n小標\n\n二。\n\n底線\n\n粗 碼"
    assert [(h.level, h.title) for h in headings] == [
        (1, "大標"),
        (2, "小標"),
        (1, "底線"),
        (2, "粗 碼"),
    ]
    assert all(text[h.start : h.end] == h.title for h in headings)


def test_a_rule_under_a_sentence_makes_no_heading_of_it() -> None:
    assert clean("這是一整句話。\n---\n\n下一段")[1] == ()


@pytest.mark.parametrize(
    "tail",
    [
        "— **完** —",
        "（全文完）",
        "**点这里 👇关注我们，别忘了加星标～**",
        "**一键三连「点赞」「转发」「在看」**",
        "喜歡這篇文章的話，請按讚分享",
        "歡迎訂閱電子報",
        "点击下方阅读原文",
        "掃描下方 QR Code 加入",
        "👇👇👇",
    ],
)
def test_boilerplate_goes_at_the_end_and_only_there(tail: str) -> None:
    assert clean(f"正文。\n\n參考資料\n\n{tail}\n\n{tail}\n")[0] == "正文。\n\n參考資料"
    assert clean(f"{tail}\n\n正文。")[0].endswith("\n\n正文。")


def test_a_long_last_paragraph_is_no_boilerplate() -> None:
    last = (
        "他在訪談的最後說，希望大家記得分享這些經驗，因為一個人學到的東西，"
        "只有說出來才會變成大家的東西，這也是他寫部落格的原因。"
    )

    assert clean("甲。\n\n" + last)[0].endswith(last)
    assert clean("甲。\n\n```\n}\n```")[0] == "甲。\n\n}"


@given(
    st.text(st.sampled_from("文字，。 \n*_`[]()!<>{}%#-|~$\\&:/hatps\r\x00「」🀄1"), max_size=200)
)
def test_any_source_is_cleaned_to_tidy_text(source: str) -> None:
    text, headings = clean(source)

    assert text == text.strip("\n ")
    assert "\r" not in text
    assert "\x00" not in text
    assert "\x01" not in text
    assert all(text[h.start : h.end] == h.title for h in headings)
    assert clean(source) == (text, headings)


@given(st.text(st.sampled_from("天地玄黃宇宙洪荒，。；"), min_size=1, max_size=200))
def test_words_without_marks_are_left_alone(words: str) -> None:
    assert clean(words)[0] == words


@pytest.mark.parametrize(
    "pattern",
    [
        "[",
        "[a](",
        "![",
        "*a ",
        "**",
        "_a ",
        "`",
        "``` ",
        "<!--",
        "<a",
        "{{<",
        "$x_",
        "\\(",
        "&#",
        ">",
    ],
)
def test_many_unfinished_marks_take_no_long_time(pattern: str) -> None:
    started = time.process_time()

    clean("文 " + pattern * (60_000 // len(pattern)))

    assert time.process_time() - started < 10


def test_what_follows_the_end_mark_is_dropped_whatever_it_says() -> None:
    text, _ = clean("# 題\n\n正文。\n\n— **完** —\n\n**覺得不錯就分享**\n\n**下次接著聊 ~**\n")

    assert text == "題\n\n正文。"


def test_an_end_mark_far_from_the_end_is_part_of_the_text() -> None:
    source = "第一部。\n\n— 完 —\n\n" + "第二部從這裡開始，" * 12 + "還沒有完。\n"

    assert "— 完 —" in clean(source)[0]
