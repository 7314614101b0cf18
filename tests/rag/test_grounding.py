"""A sentence reaches the reader only with a quote that stands there and carries it."""

import random
from collections import Counter
from pathlib import Path

import pytest

from corpus.article import Article, Passage
from rag.grounding import Grounded, Grounding
from rag.reply import Claim, Quote
from rag.result import Hit
from rag.terms import load_terms
from tests.llm_claims import honest_claims, judged, lies, shared_golds

_SHOWN = ("carried", "doubtful")
_HARBOUR = (
    "青嶼港的舊燈塔由林秀文在1873年建成，高21公尺。它不靠電力，而是用煤油發光。"
    "後來港務局在2009年花了3,500萬元整修，百分之六十的經費來自捐款。"
)
_ISLAND = "白沙島上沒有燈塔，只有一座氣象站。島民約有二百人，多半以捕魚為生。"


def hits(*texts: str) -> list[Hit]:
    found = []
    for n, text in enumerate(texts):
        article = Article(f"a{n}", f"a{n}.md", "港口筆記", text)
        found.append(Hit(Passage(f"a{n}#0", f"a{n}", 0, 0, len(text), text), article, 1.0))
    return found


@pytest.fixture(scope="module")
def grounding() -> Grounding:
    return Grounding("青嶼港的舊燈塔是誰建的？", hits(_HARBOUR, _ISLAND), load_terms())


def judge(grounding: Grounding, text: str, *quotes: tuple[int, str]) -> Grounded:
    return grounding.judge(Claim(text, tuple(Quote((n,), words) for n, words in quotes)))


BUILT = (1, "舊燈塔由林秀文在1873年建成")


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("舊燈塔由林秀文在1873年建成。", BUILT),
        ("旧灯塔由林秀文在1873年建成。", BUILT),
        ("林秀文在一八七三年建了這座舊燈塔。", BUILT),
        ("建成舊燈塔的人是林秀文。", (1, "旧灯塔由林秀文在１８７３年建成")),
        ("它不靠電力，用煤油發光。", (1, "它不靠電力，而是用煤油發光")),
        ("2009年的整修花了三千五百萬元。", (1, "港務局在2009年花了3,500萬元整修")),
        ("經費的60%來自捐款。", (1, "百分之六十的經費來自捐款")),
        ("六成的經費來自捐款。", (1, "百分之六十的經費來自捐款")),
        ("白沙島上沒有燈塔。", (2, "白沙島上沒有燈塔")),
        ("島民約有200人。", (2, "島民約有二百人")),
        ("舊燈塔由林秀文建成。", (2, "舊燈塔由林秀文在1873年建成")),
        ("青嶼港的舊燈塔高21公尺。", (1, "高21公尺")),
    ],
    ids=["verbatim", "other script", "turned round", "wide quote", "with a no", "number in words",
         "percent", "tenths", "nothing there", "digits", "wrong number", "name from before"],
)  # fmt: skip
def test_what_the_source_carries_is_shown(
    grounding: Grounding, text: str, quote: tuple[int, str]
) -> None:
    judged = judge(grounding, text, quote)

    assert judged.verdict == "carried"
    assert (judged.found, judged.claimed) == (1, 1)
    for span in judged.spans:
        assert span.text == span.hit.passage.text[span.start : span.end]


@pytest.mark.parametrize(
    ("text", "quote", "verdict"),
    [
        ("舊燈塔由林秀文在1874年建成。", BUILT, "number"),
        ("舊燈塔高31公尺。", (1, "高21公尺"), "number"),
        ("經費的16%來自捐款。", (1, "百分之六十的經費來自捐款"), "number"),
        ("舊燈塔由王大明在1873年建成。", BUILT, "name"),
        ("舊燈塔由Stevenson在1873年建成。", BUILT, "name"),
        ("它靠電力，用煤油發光。", (1, "它不靠電力，而是用煤油發光"), "negation"),
        ("它靠電力。", (1, "靠電力"), "negation"),
        ("舊燈塔不由林秀文建成。", BUILT, "negation"),
        ("白沙島上有燈塔。", (2, "白沙島上沒有燈塔"), "negation"),
        ("島民多半以捕魚為生。", BUILT, "words"),
        ("舊燈塔由林秀文在1873年建成。", (1, "舊燈塔由林秀文在1874年建成"), "no quote"),
        ("舊燈塔由林秀文在1873年建成。", (1, "舊燈塔是林秀文在1873年建成"), "no quote"),
        ("燈塔是外星人建的。", (1, "燈塔是外星人建的"), "no quote"),
        ("燈塔是外星人建的。", (2, "島民約有二百人"), "words"),
        ("好的。", (1, "的"), "no quote"),
    ],
    ids=["year", "height", "percent", "name", "Latin name", "no dropped", "no cut off", "no added",
         "nothing there", "quote of something else", "number in the quote", "word in the quote",
         "invented", "invented with a quote", "nothing said"],
)  # fmt: skip
def test_what_the_source_does_not_carry_is_dropped_and_told_why(
    grounding: Grounding, text: str, quote: tuple[int, str], verdict: str
) -> None:
    judged = judge(grounding, text, quote)

    assert judged.verdict == verdict
    assert not judged.kept
    assert judged.spans == ()


@pytest.mark.parametrize(
    "text",
    [
        "舊燈塔由漁會在1873年建成。",
        "舊燈塔由林秀文在1873年拆掉。",
        "舊燈塔由林秀文在1873年建成，引起抗議。",
    ],
    ids=["another subject", "another verb", "a clause put in"],
)
def test_another_word_in_the_place_of_the_sources_is_marked_at_least(
    grounding: Grounding, text: str
) -> None:
    assert judge(grounding, text, BUILT).verdict != "carried"


def test_a_quote_grows_to_its_sentence_when_the_sentence_carries_the_claim(
    grounding: Grounding,
) -> None:
    judged = judge(grounding, "港務局在2009年整修，60%的經費來自捐款。", (1, "整修"))

    (span,) = judged.spans
    assert judged.verdict == "carried"
    assert span.text.startswith("後來港務局在2009年")


def test_one_quote_of_two_that_is_not_there_drops_the_sentence(grounding: Grounding) -> None:
    judged = judge(grounding, "舊燈塔由林秀文在1873年建成。", BUILT, (1, "花了九億元"))

    assert not judged.kept
    assert (judged.found, judged.claimed) == (1, 2)


def test_a_sentence_copied_whole_needs_no_quote(grounding: Grounding) -> None:
    assert judge(grounding, "白沙島上沒有燈塔，只有一座氣象站。").verdict == "carried"


def test_what_only_the_question_says_is_marked() -> None:
    asked = Grounding("青嶼港的舊燈塔是王大明哪一年建的？", hits(_HARBOUR), load_terms())

    judged = judge(asked, "王大明的舊燈塔在1873年建成。", BUILT)

    assert judged.verdict == "doubtful"


@pytest.mark.parametrize("name", ["drcd_dev", "rgb"])
def test_honest_sentences_are_shown_and_lies_are_not(shared: Path, name: str) -> None:
    golds = shared_golds(shared / "eval")[name]
    golds = random.Random(11).sample(golds, min(80, len(golds)))

    honest = Counter(v for _, v in judged([c for gold in golds for c in honest_claims(gold)]))
    false = Counter(v for _, v in judged(list(lies(golds))))

    wrongly_dropped = 1 - sum(honest[verdict] for verdict in _SHOWN) / honest.total()
    print(f"\n{name}: honest {dict(honest)}\n{name}: lies {dict(false)}")
    assert wrongly_dropped <= 0.05
    assert false["carried"] == 0
    assert false.total() > 500
