"""The word reader: question and sentences met word by word."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import opencc
import pytest

from corpus.article import Article, Passage
from rag import embed
from rag.errors import BrokenModel
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.read import LinearReader
from rag.result import Hit
from rag.word_reader import SHIPPED, WORD_FEATURES, WordReader, Words, WordSentence

REPOSITORY = Path(__file__).resolve().parents[2]
CAKE = (
    "這家麵包店一九八七年在台南開張。老闆原本是造船廠的工人。"
    "他因為腰受了傷，沒辦法再做粗活，才改行學做麵包。現在店裡每天賣出四百個菠蘿麵包。"
)
RIVER = "这条河全长三百二十公里。上游水流很急。每年八月，河水会淹没两岸的农田。"
WHY = "老闆為什麼後來改行了？"


def hits_of(*texts: str) -> tuple[list[Hit], LexicalIndex]:
    """Hits in the order given, and the index over them."""
    articles = {f"a{n}": Article(f"a{n}", f"a{n}", "", text) for n, text in enumerate(texts)}
    passages = [Passage(n, n, 0, 0, len(a.text), a.text) for n, a in articles.items()]
    hits = [Hit(p, articles[p.id], 0.5 - 0.01 * n) for n, p in enumerate(passages)]
    return hits, LexicalIndex.build(articles, passages)


@pytest.fixture(scope="module")
def reader() -> WordReader:
    return WordReader()


@pytest.fixture(scope="module")
def words() -> Words:
    return Words(SHIPPED, embed.SHIPPED / "vocab.txt")


def feature(words: Words, question: str, parts: list[str], name: str) -> list[float]:
    """One feature of every sentence."""
    found = words.asked(question).features([fold(part) for part in parts])
    return [float(value) for value in found[:, WORD_FEATURES.index(name)]]


def test_all_words_there_is_one_and_none_there_is_less(words: Words) -> None:
    whole, none = feature(words, "工廠裁員", ["工廠裁員。", "三月下雨。"], "same")

    assert whole == pytest.approx(1)
    assert none == 0


def test_another_word_for_it_meets_better_than_a_strange_one(words: Words) -> None:
    near, far = feature(words, "薪水", ["工資。", "河流。"], "met")

    assert near > far


def test_english_meets_chinese(words: Words) -> None:
    near, far = feature(words, "bread", ["麵包。", "河流。"], "met")

    assert near > far


def test_only_what_the_first_sentence_lacked_is_met_anew(words: Words) -> None:
    parts = ["張三是老師。", "張三住在台南。"]

    first, second = feature(words, "張三台南", parts, "met anew")

    assert first == 0
    assert second > 0


def test_words_beside_the_question_word_are_the_focus(words: Words) -> None:
    parts = ["老師張三來自海邊。", "獲得的獎是銀牌。"]

    focus = feature(words, "來自海邊的張三老師獲得什麼獎", parts, "focus met")
    everything = feature(words, "來自海邊的張三老師獲得什麼獎", parts, "met")

    assert focus[1] / focus[0] > everything[1] / everything[0]


def test_a_question_of_question_words_says_nothing(words: Words) -> None:
    assert not words.asked("什麼？").features(["张三是老师。"]).any()


def test_the_sentence_that_answers_comes_first(reader: WordReader) -> None:
    hits, index = hits_of(CAKE, RIVER)

    best = reader.read(WHY, hits, index)[0]

    assert "腰受了傷" in best.text


def test_every_sentence_of_every_passage_is_there_once(reader: WordReader) -> None:
    hits, index = hits_of(CAKE, RIVER, CAKE + RIVER)

    found = reader.read(WHY, hits, index)

    linear = LinearReader().read(WHY, hits, index)
    spans = sorted((s.hit.passage.id, s.start, s.end) for s in found)
    assert spans == sorted((s.hit.passage.id, s.start, s.end) for s in linear)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


def test_both_scripts_get_the_same_scores(reader: WordReader) -> None:
    convert = opencc.OpenCC("t2s").convert
    hits, index = hits_of(CAKE, RIVER)
    simplified, _ = hits_of(convert(CAKE), RIVER)

    one = reader.read(WHY, hits, index)
    other = reader.read(convert(WHY), simplified, index)

    assert [s.score for s in one] == pytest.approx([s.score for s in other], abs=1e-4)


def test_a_passage_that_answers_says_so_more_than_one_that_does_not(reader: WordReader) -> None:
    hits, index = hits_of(CAKE, RIVER)

    found = [s for s in reader.read(WHY, hits, index) if isinstance(s, WordSentence)]

    says = {s.hit.passage.id: s.says for s in found}
    assert says["a0"] > says["a1"] + 1


@pytest.mark.parametrize(
    "text", ["", " ", "?", "猫", "很" * 4_000, "a" * 5_000, "字。" * 900, "🙂\n\n🙂", "。。。"]
)
def test_odd_passages_have_a_finite_score(reader: WordReader, text: str) -> None:
    hits, index = hits_of(text, CAKE)

    found = reader.read(WHY, hits, index)

    assert all(np.isfinite(sentence.score) for sentence in found)


@pytest.mark.parametrize("question", ["", "？", "🙂", "為" * 3_000, "\ud800"])
def test_odd_questions_are_read(reader: WordReader, question: str) -> None:
    hits, index = hits_of(CAKE)

    assert len(reader.read(question, hits, index)) == 4


def test_nothing_found_is_nothing_read(reader: WordReader) -> None:
    _, index = hits_of(CAKE)

    assert reader.read(WHY, [], index) == []


def test_threads_share_one_reader() -> None:
    fresh = WordReader()
    hits, index = hits_of(CAKE, RIVER)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fresh.read(WHY, hits, index)[0].score, range(16)))

    assert found == [found[0]] * 16


def test_reading_imports_no_torch() -> None:
    program = (
        "import sys\n"
        "from tests.rag.test_word_reader import CAKE, WHY, WordReader, hits_of\n"
        "WordReader().read(WHY, *hits_of(CAKE))\n"
        "sys.exit('torch' in sys.modules or 'sentence_transformers' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY).returncode == 0


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "vocab.txt"
    other.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", encoding="utf-8")

    with pytest.raises(BrokenModel, match=r"vocab\.txt"):
        WordReader(SHIPPED, other).read(WHY, *hits_of(CAKE))


def test_the_shipped_folder_is_small_and_described() -> None:
    settings = json.loads((SHIPPED / "youju.json").read_text(encoding="utf-8"))

    assert all((SHIPPED / n).stat().st_size == size for n, size in settings["bytes"].items())
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 6_000_000
    assert (SHIPPED / "README.md").stat().st_size > 1_000
