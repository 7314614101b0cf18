import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Heading
from corpus.clean import Block, assemble
from corpus.split import split


def article(
    *blocks: str | tuple[int, str], metadata: tuple[str, ...] = (), title: str = "題"
) -> Article:
    """Plain strings are paragraphs, pairs are headings."""
    built = [Block(b) if isinstance(b, str) else Block(b[1], b[0]) for b in blocks]
    text, body_start, headings = assemble(metadata, built)
    return Article("a/b", "a/b.md", title, text, body_start, headings)


def texts(found: Article, **sizes: int) -> list[str]:
    return [passage.text for passage in split(found, **sizes)]


def sound(found: Article, max_chars: int, target_chars: int = 180) -> None:
    passages = split(found, max_chars, target_chars)
    taken = [0] * len(found.text)
    for number, passage in enumerate(passages):
        assert passage.text == found.text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        assert len(passage.text) <= max_chars
        assert (passage.ordinal, passage.id) == (number, f"{found.id}#{number}")
        assert passage.article_id == found.id
        assert passage.kind == ("metadata" if passage.start < found.body_start else "body")
        for place in range(passage.start, passage.end):
            taken[place] += 1
    in_heading = {place for h in found.headings for place in range(h.start, h.end)}
    for place, character in enumerate(found.text):
        wanted = 0 if place in in_heading else 1
        assert taken[place] == wanted or character.isspace(), (place, character)
    assert split(found, max_chars, target_chars) == passages


def test_short_paragraphs_are_put_together_up_to_the_target() -> None:
    found = article("一" * 60, "二" * 60, "三" * 60, "四" * 60)

    assert [len(t) for t in texts(found, target_chars=130)] == [122, 122]
    assert [len(t) for t in texts(found, target_chars=60)] == [60, 60, 60, 60]
    assert texts(found, target_chars=130)[0] == "一" * 60 + "\n\n" + "二" * 60


def test_a_paragraph_within_the_limit_is_never_parted() -> None:
    assert [len(t) for t in texts(article("文" * 50 + "。" + "字" * 250 + "。"))] == [302]


def test_a_long_paragraph_is_parted_at_sentence_ends_into_even_pieces() -> None:
    sentence = "這一句話剛好有二十個字，一二三四五六七八。"
    assert len(sentence) == 21

    assert texts(article(sentence * 6), max_chars=100) == [sentence * 3, sentence * 3]


def test_a_quotation_is_not_parted_where_that_can_be_avoided() -> None:
    quotation = "「" + "引文裡的一句。" * 5 + "」"
    found = article("開頭的一句話在這裡。他說" + quotation + "，說完就走了。" + "後來的一句。" * 4)

    assert all(t.count("「") == t.count("」") for t in texts(found, max_chars=60))


def test_a_quotation_that_is_too_long_is_parted_at_its_own_sentences() -> None:
    found = article("他說：「" + "引文裡的一句。" * 10 + "」")

    pieces = texts(found, max_chars=40)

    assert all(t.endswith(("。", "。」")) for t in pieces[1:])


def test_clauses_come_after_sentences_and_anywhere_comes_last() -> None:
    assert texts(article("前半句話，" * 4), max_chars=10) == ["前半句話，前半句話，"] * 2
    assert texts(article("文" * 25), max_chars=10) == ["文" * 9, "文" * 9, "文" * 7]
    assert texts(article("alpha beta gamma delta"), max_chars=11) == ["alpha beta", "gamma delta"]


def test_characters_made_of_several_stay_whole() -> None:
    family, flag, accent = "👨\u200d👩\u200d👧", "🇹🇼", "e\u0301"
    for unit in (family, flag, accent, "👍🏽", "❤\ufe0f"):
        assert all(len(t) % len(unit) == 0 for t in texts(article(unit * 30), max_chars=16))


def test_a_list_stays_with_the_line_that_introduces_it() -> None:
    found = article("前" * 100 + "。", "要帶的東西：", "水壺\n地圖\n外套", "後" * 100 + "。")
    sizes = {"max_chars": 110, "target_chars": 110}

    assert texts(found, **sizes)[1] == "要帶的東西：\n\n水壺\n地圖\n外套"


def test_a_long_list_keeps_its_introduction_with_its_beginning() -> None:
    found = article("要帶的東西：", "\n".join(f"第{n:02}樣東西，放在背包裡" for n in range(20)))

    first = texts(found, max_chars=100)[0]

    assert first.startswith("要帶的東西：\n\n第00樣東西")
    assert all(t.endswith("放在背包裡") for t in texts(found, max_chars=100))


def test_a_crumb_joins_its_shorter_neighbour() -> None:
    found = article("甲" * 200 + "。", "短。", "乙" * 190 + "。")

    assert [len(t) for t in texts(found, max_chars=320, target_chars=180)] == [201, 195]


def test_headings_are_the_path_and_no_passage() -> None:
    found = article(
        (1, "題"),
        "序。",
        (2, "上"),
        "一。",
        (3, "細"),
        "二。",
        (2, "下"),
        (3, "微"),
        "三。",
        (1, "附"),
        "四。",
    )

    assert [(p.text, p.headings) for p in split(found)] == [
        ("序。", ()),
        ("一。", ("上",)),
        ("二。", ("上", "細")),
        ("三。", ("下", "微")),
        ("四。", ("附",)),
    ]


def test_a_first_heading_other_than_the_title_stays_in_the_path() -> None:
    assert split(article((1, "別的"), "文。"))[0].headings == ("別的",)


def test_metadata_is_passages_of_its_own() -> None:
    found = article("正文。", metadata=("title: 甲", "date: 2024-01-02"))

    assert [(p.text, p.kind) for p in split(found)] == [
        ("title: 甲\ndate: 2024-01-02", "metadata"),
        ("正文。", "body"),
    ]


def test_an_address_stays_whole_where_it_fits() -> None:
    address = "https://example.org/" + "a.b,c/" * 40
    found = article("見" + "，前文" * 30 + "。論文在 " + address + " 這裡。" + "後文。" * 60)

    assert any(address in t for t in texts(found))


def test_sizes_must_make_sense() -> None:
    with pytest.raises(ValueError, match="max_chars"):
        split(article("文"), max_chars=0)


CHARACTERS = "天地玄黃。，、；：？！…「」『』“”《》（）()\"'.!? \n\t\u3000abc019"
CLUSTERS = ["👨\u200d👩\u200d👧", "🇹🇼", "e\u0301", "𠮷"]
WORDS = ["https://a.org/b.c?d=e", "\n\n", "\n- ", "……", "3.5", "文字" * 30, "word " * 9, "e.g. "]
PIECES = st.sampled_from([*CHARACTERS, *CLUSTERS, *WORDS])
SOURCES = st.lists(PIECES, max_size=60).map("".join)


@given(
    st.lists(st.tuples(st.integers(0, 6), SOURCES), max_size=8),
    st.lists(SOURCES, max_size=4),
    st.integers(1, 90),
    st.integers(0, 90),
)
def test_passages_are_exact_within_budget_and_complete(
    parts: list[tuple[int, str]], head: list[str], max_chars: int, target: int
) -> None:
    blocks: list[str | tuple[int, str]] = []
    for level, source in parts:
        if not source.strip():
            continue
        blocks.append((level, " ".join(source.split())) if level else source.strip())
    metadata = tuple(" ".join(line.split()) for line in head if line.strip())

    sound(article(*blocks, metadata=metadata), max_chars, target)


@given(st.text(max_size=300), st.integers(1, 40))
def test_any_text_at_all_is_parted_soundly(text: str, max_chars: int) -> None:
    sound(Article("a/b", "a/b.md", "題", text), max_chars)


def test_a_heading_may_stand_anywhere() -> None:
    found = replace(article("前。標題後。"), headings=(Heading(1, "標題", 2, 4),))

    assert [(p.text, p.headings) for p in split(found)] == [("前。", ()), ("後。", ("標題",))]


@pytest.mark.parametrize(
    "unit",
    ["文", "a", "文，", "「", "（好。", "🇹", "👨\u200d", "\u0301", "文：\n\n", "文。\n\n", " 文"],
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    started = time.process_time()

    split(Article("a", "a.md", "題", unit * (60_000 // len(unit))))

    assert time.process_time() - started < 10


def test_a_megabyte_without_punctuation_takes_no_two_seconds() -> None:
    started = time.process_time()

    split(Article("a", "a.md", "題", "文" * 1_000_000))

    assert time.process_time() - started < 2
