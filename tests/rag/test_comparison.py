"""Of two things that are compared each is spoken of."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.answer import Answerer
from rag.comparison import compared, missing
from rag.evaluate import throwaway
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.read import Sentence
from rag.result import Hit
from rag.retrieve import Retrieval, Retriever
from rag.support import Support
from tests.rag.test_word_reader import hits_of
from tests.rag.tiny_index import HashEmbedder

COMPARED = {
    "紙鳶跟風箏差在哪": ("纸鸢", "风筝"),
    "纸鸢和滑翔伞有什么区别？": ("纸鸢", "滑翔伞"),
    "請問湖邊與山上的不同之處": ("湖边", "山上"),
    "紙鳶 vs 滑翔傘哪個比較難": ("纸鸢", "滑翔伞"),
    "Go 和 Rust 怎麼選": ("go", "rust"),
    "What is the difference between a kite and a glider?": ("a kite", "a glider?"),
    "how does paper differ from silk": ("paper", "silk"),
    "kites versus gliders": ("kites", "gliders"),
}
NOT_COMPARED = (
    "紙鳶和風箏都飛得高嗎",
    "人民共和國有什麼不同",
    "為什麼同樣的風有什麼差別",
    "湖北與哪個省相比鄰",
    "紙鳶有什麼特別",
    "紙鳶跟紙鳶差在哪",
    "what makes kites different",
    "",
)


@pytest.mark.parametrize(("question", "sides"), COMPARED.items())
def test_two_things_are_compared(question: str, sides: tuple[str, str]) -> None:
    assert compared(fold(question)) == sides


@pytest.mark.parametrize("question", NOT_COMPARED)
def test_nothing_is_compared(question: str) -> None:
    assert compared(fold(question)) is None


def test_a_long_question_takes_no_time() -> None:
    assert compared("纸鸢和" * 3000 + "差在哪") is None
    assert compared(("纸鸢和" * 30)[:70]) is None


KITE = "風很大。紙鳶是指用竹和紙紮的鳥。紙鳶三月才放。"
GLIDER = "湖面很靜。滑翔傘載著人。紙鳶和滑翔傘都怕雨。"
SIDES = ("纸鸢", "滑翔伞")


def sentences(hit: Hit, scores: list[float]) -> list[Sentence]:
    text, found, start = hit.passage.text, [], 0
    for score in scores:
        end = text.index("。", start) + 1
        found.append(Sentence(hit, start, end, score))
        start = end
    return found


def quotes(found: list[Sentence]) -> list[str]:
    return [sentence.text for sentence in found]


def test_what_is_named_already_is_not_missing() -> None:
    (hit,), _ = hits_of(GLIDER)
    wind, carries, both = sentences(hit, [3.0, 2.0, 1.0])

    assert missing([both.text], [both, carries, wind], [hit], SIDES) == []
    assert quotes(missing([wind.text], [wind, carries], [hit], SIDES)) == ["滑翔傘載著人。"]
    assert missing([wind.text], [wind], [], SIDES) == []


def test_a_definition_is_told_first_and_of_what_was_not_read_too() -> None:
    hits, _ = hits_of(KITE, GLIDER)
    wind, is_a_bird, in_march = sentences(hits[0], [1.0, 2.0, 3.0])

    found = missing([wind.text], [in_march, is_a_bird, wind], hits, SIDES)

    assert quotes(found) == ["紙鳶是指用竹和紙紮的鳥。", "滑翔傘載著人。"]
    assert found[1].hit is hits[1]
    assert found[1].score == 1.0


class FirstPassage:
    """A reader that leaves out all passages but the first."""

    name = "first"

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[Sentence]:
        del question, index
        return sentences(hits[0], [9.0, 0.0, -9.0])


def test_an_answer_speaks_of_both_sides(tmp_path: Path) -> None:
    rows = [{"id": "kite", "text": KITE}, {"id": "glider", "text": GLIDER}]

    with throwaway(rows, HashEmbedder(), tmp_path / "vectors.sqlite") as generation:
        found = Retriever(HashEmbedder()).retrieve(generation, "紙鳶")
        hits = tuple(sorted(found.hits, key=lambda hit: hit.article.id != "kite"))
        answerer = Answerer(FirstPassage(), Support(), 0.0)

        def cited(question: str) -> list[str]:
            draft = answerer.answer(generation, Retrieval(question, hits), "hant")
            return [citation.quote for citation in draft.citations]

        assert cited("風很大嗎") == ["風很大。"]
        assert cited("紙鳶跟滑翔傘差在哪") == [
            "風很大。紙鳶是指用竹和紙紮的鳥。",
            "滑翔傘載著人。",
        ]
