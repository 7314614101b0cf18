"""Spoken Cantonese is searched for in Mandarin's words; all else stays as it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cantonese import in_mandarin
from rag.service import Service

READ = {
    "點解紙鳶會跌落嚟？": "為什麼紙鳶會跌落來？",
    "点解纸鸢会呃人": "為什麼纸鸢会騙人",
    "佢哋係咪識得扮風": "他們是不是會假裝風",
    "邊個寫㗎": "誰寫的",
    "邊間舖頭賣紙鳶": "哪間舖頭賣紙鳶",
    "而家喺邊度做嘢": "現在在哪裡工作",
    "幾時放，放咗幾多次": "什麼時候放，放了多少次",
    "紙鳶即係乜嘢嚟": "紙鳶就是什麼",
    "有冇人睇緊呢篇文": "有沒有人看這篇文",
    "嗰啲鴨嘅關係唔好": "那些鴨的關係不好",
    "實驗入面會唔會落雨": "實驗裡會不會落雨",
}
AS_TYPED = (
    "紙鳶為什麼會掉下來？",
    "点心有哪些，重点是什么",
    "人際關係與仲裁",
    "你在幹嘛呢？個性如何",
    "幾時候鳥才回來",  # 時候, not 幾時
    "他扮演誰",
    "why do kites fall?",
    "",
)


@pytest.mark.parametrize(("spoken", "read"), READ.items())
def test_cantonese_is_read_as_mandarin(spoken: str, read: str) -> None:
    assert in_mandarin(spoken) == read


@pytest.mark.parametrize("question", AS_TYPED)
def test_mandarin_and_english_stay(question: str) -> None:
    assert in_mandarin(question) == question


@given(st.text(alphabet="點解邊個幾時佢哋係咪唔嘅咗呢扮呃緊真乜嘢嚟abc？ ", max_size=40))
def test_what_was_read_is_not_read_otherwise_again(question: str) -> None:
    read = in_mandarin(question)

    assert len(read) <= 3 * len(question)
    assert not set("嘅咗喺冇啲嗰嚟唔佢乜") & set(read)


@pytest.mark.parametrize(
    ("spoken", "quoted"),
    [
        ("點解 Claude 要扮聽話？", "偏好"),
        ("嗰個草稿本邊個睇得到？", "草稿本"),
        ("Izmailov 而家喺邊度做嘢？", "Anthropic"),
    ],
)
def test_it_is_answered_and_shown_as_it_was_asked(
    service: Service, spoken: str, quoted: str
) -> None:
    answer = service.ask(spoken)

    assert answer.status == "answered"
    assert answer.variant == "hant"
    assert answer.question == spoken
    assert quoted in answer.text


def test_what_was_asked_before_is_read_so_too(service: Service) -> None:
    answer = service.ask("佢點解會咁做？", history=["Claude 喺實驗入面有冇扮聽話？"])

    assert answer.status == "answered"
    assert "Claude" in answer.text or "模型" in answer.text
