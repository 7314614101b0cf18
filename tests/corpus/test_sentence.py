import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.split import sentences


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "天亮了。|雨停了！|真的嗎？|對；|走吧。",
        "真的？！|不會吧！！|好。",
        "他說：「好。」|然後走了。",
        "他问：“好吗？”|我说：“不好。”|她笑了。",
        "老人說：「走吧。天黑了。別等了。」|大家站起來。",
        "這是「人有沒有辦法飛起來？」這個老問題。|沒有答案。",
        "「走！」大家都散了。",
        "讀《你往何處去？》的人很少。|我讀了。",
        "他來了（真的！）然後走了。|下一句。",
        "他走了（註：那天下雨。路很滑。）再沒回來。|完。",
        "他走了。|（那天下雨。路很滑。）|再沒回來。",
        "外層「內層『真的？』是這樣。」|然後。",
        '他說："好。走吧。"|然後走了。',
        "用 o1.5 模型，快 3.5 倍。|比 1,000 多。",
        "見 https://a.org/b?c=d.e;f!g 這一頁。|再見。",
        "He left.| Mr. Smith came, e.g. by train, at 5 p.m. sharp.| Then it rained.",
        "This is it.| The U.S. team won!| Really?| Yes.",
        "1. 第一步。\n|2. 第二步",
        "Node.js 與 main.py 都在。|a?b=c;d 是參數",
        "然而……並非如此。|他想了想……還是走了……",
        "好...也許吧。|行。",
        "一行沒有句點\n|另一行",
        "「沒有結尾的引號。|下一句。",
        "多出來的」引號。|下一句。",
        "帕維爾．某某來了。|他是誰？",
        "結尾在引號裡。」|下一句。",
        "用中文寫的.|下一句.",
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str) -> None:
    wanted = [part.strip() for part in text.split("|")]

    assert parts(text.replace("|", "")) == wanted


def test_a_quotation_of_a_page_is_read_sentence_by_sentence() -> None:
    assert len(parts("他說：「" + "這是很長的一段引文。" * 30 + "」")) == 30


def test_white_space_belongs_to_no_sentence() -> None:
    assert sentences(" \n 天亮了。 \n\n　雨停了。 ") == [(3, 7), (11, 15)]
    assert sentences("") == []
    assert sentences(" \n\u3000") == []


ODD = "天地。，？！；：「」『』“”（）()《》\"' .a1…\n\u3000😀👨\u200d👩🇹🇼e\u0301𠮷/:h"


@given(st.text(st.sampled_from(ODD), max_size=120) | st.text(max_size=60))
def test_sentences_cover_the_text_in_order(text: str) -> None:
    spans = sentences(text)

    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    words = "".join(text[start:end] for start, end in spans)
    assert "".join(words.split()) == "".join(text.split())
    assert sentences(text) == spans


@pytest.mark.parametrize(
    "unit",
    ["文", "文。", "，", "「", "」", "（）", "。」", '"', "a. ", "\n", "文：\n", "…", "https://"],
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    started = time.process_time()

    sentences(unit * (60_000 // len(unit)))
    sentences("「" * 20_000 + "」" * 20_000)

    assert time.process_time() - started < 10
