"""A quote is found in either script, whatever its width and marks, and never with other words."""

import random
import re
from pathlib import Path

import pytest

from corpus.split import sentences
from rag.locate import locate
from rag.variant import to_variant
from tests.llm_claims import read_jsonl

_WIDE = str.maketrans("0123456789%()", "０１２３４５６７８９％（）")
_TRADITIONAL = (
    "研究團隊說，2024年共有３５％的模型「表面配合」，卻在乾燥的檔案裡留下了範例；後來只有12隻樣本。"
)


@pytest.mark.parametrize(
    "quote",
    [
        "研究團隊說",
        "研究团队说，2024年共有35%的模型",
        "２０２４年共有 35 ％ 的模型“表面配合”",
        "2024年共有35%的模型表面配合,却在干燥的档案里留下了范例",
        "後來只有12隻樣本",
        "后来只有12只样本。",
    ],
)
def test_script_width_white_space_and_marks_do_not_matter(quote: str) -> None:
    (place,) = locate(quote, _TRADITIONAL)

    assert re.sub(r"\W", "", _TRADITIONAL[slice(*place)])[:2] in (quote[:2], "研究", "20", "後來")


@pytest.mark.parametrize(
    "quote",
    [
        "研究小組說",
        "2024年共有36%的模型",
        "共有35%的模型表面不配合",
        "024年共有",
        "只有2隻樣本",
        "",
        "。",
        "說",
    ],
    ids=["word", "number", "no", "cut number", "cut number again", "empty", "mark", "too short"],
)
def test_other_words_and_cut_numbers_are_not_found(quote: str) -> None:
    assert list(locate(quote, _TRADITIONAL)) == []


def test_every_place_is_told() -> None:
    text = "甲乙丙。丁甲乙。"

    assert [text[a:b] for a, b in locate("甲乙", text)] == ["甲乙", "甲乙"]


@pytest.mark.parametrize(
    ("name", "script"), [("drcd_dev", "hans"), ("cmrc2018_dev", "hant")], ids=["t to s", "s to t"]
)
def test_spans_are_found_across_scripts(shared: Path, name: str, script: str) -> None:
    """On 1,848 paragraphs in all: a span of each, in the other script, in other dress."""
    chance = random.Random(7)
    texts = [row["text"] for row in read_jsonl(shared / "eval" / f"{name}.passages.jsonl")]
    asked = [(text, *_span(text, chance)) for text in texts]

    found = 0
    for text, start, end in asked:
        other = to_variant(text[start:end], "hans" if script == "hans" else "hant")
        dressed = re.sub(r"(?<![a-zA-Z0-9]) | (?![a-zA-Z0-9])", "", other).translate(_WIDE)
        places = list(locate(dressed, text))
        found += any(abs(a - start) <= 3 and abs(b - end) <= 3 for a, b in places)

    print(f"\n{name} -> {script}: {found} of {len(asked)} spans found ({found / len(asked):.4f})")
    assert len(asked) >= 800
    assert found / len(asked) >= 0.99


def _span(text: str, chance: random.Random) -> tuple[int, int]:
    """A sentence, or a stretch that begins and ends anywhere."""
    if chance.random() < 0.5:
        return chance.choice(sentences(text))
    length = chance.randint(6, 60)
    start = chance.randrange(max(1, len(text) - length))
    while start < len(text) - 2 and _in_a_word(text, start):
        start += 1
    end = min(len(text), start + length)
    while end < len(text) and _in_a_word(text, end):
        end += 1
    return start, end


def _in_a_word(text: str, place: int) -> bool:
    around = text[max(0, place - 2) : place + 2]
    return place > 0 and bool(
        re.search(r"[A-Za-z0-9.,二三四五六七八九十百千万萬億亿兩两零〇]{2}", around)
    )
