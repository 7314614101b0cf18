"""The words of Taiwan and of the Mainland for one thing."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Passage
from rag import regions
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.regions import wordings
from rag.retrieve import in_both_regions

PAIRS = [
    ("怎麼把伺服器上的軟體解除安裝？", "怎么把服务器上的软件卸载？"),
    ("這臺印表機好不好用", "这台打印机好不好用"),
    ("網路訊號很差", "网络信号很差"),
]


@pytest.fixture
def fresh() -> Iterator[None]:
    regions._converters.cache_clear()
    yield
    regions._converters.cache_clear()


@pytest.mark.parametrize(("taiwan", "mainland"), PAIRS)
def test_a_question_has_the_words_of_both_regions_whoever_asks(taiwan: str, mainland: str) -> None:
    asked_there, asked_here = wordings(mainland), wordings(taiwan)

    assert fold(taiwan) in asked_here
    assert fold(mainland) in asked_there
    assert len(asked_here) == 2
    assert set(asked_here) == set(asked_there)


@pytest.mark.parametrize(
    "question", ["", "？", "🍜", "什麼是 sandbagging？", "頭髮、皇后和干貝", "\ud800", "a" * 4000]
)
def test_what_both_regions_say_alike_is_searched_for_once(question: str) -> None:
    assert wordings(question) == (fold(question),)


@given(st.text(max_size=60))
def test_any_text_can_be_asked(question: str) -> None:
    found = wordings(question)

    assert 1 <= len(found) <= 2
    assert len(set(found)) == len(found)


def test_the_script_of_the_question_changes_nothing() -> None:
    assert wordings("服务器上的软件") == wordings("服務器上的軟件")


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("where", "name"), [(regions, "_DICTIONARIES"), (tempfile, "tempdir")], ids=["names", "writing"]
)
def test_where_our_own_configuration_fails_opencc_is_asked_for_its_own(
    where: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [wordings(question) for pair in PAIRS for question in pair]
    regions._converters.cache_clear()
    monkeypatch.setattr(where, name, tmp_path / "nothing here")

    assert [wordings(question) for pair in PAIRS for question in pair] == expected
    assert {len(regions._converters(chain)) for chain in regions._WHOLE} == {1, 2}


@pytest.mark.usefixtures("fresh")
def test_threads_may_ask_at_once() -> None:
    questions = [question for pair in PAIRS for question in pair] * 20
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(wordings, questions))

    assert found == [wordings(question) for question in questions]


def test_passages_score_the_same_in_either_regions_words() -> None:
    texts = ["這臺伺服器跑的是舊軟體。", "这台服务器跑的是旧软件。", "湖邊的鴨子睡著了。"]
    articles = {f"a{n}": Article(f"a{n}", f"a{n}", "", text) for n, text in enumerate(texts)}
    passages = [Passage(n, n, 0, 0, len(a.text), a.text) for n, a in articles.items()]
    index = LexicalIndex.build(articles, passages)

    one, other = (in_both_regions(index, q) for q in ("伺服器用什麼軟體", "服务器用什么软件"))

    np.testing.assert_allclose(one.ngrams, other.ngrams, rtol=1e-6)
    np.testing.assert_allclose(one.ideas, other.ideas, rtol=1e-6)
    assert one.ceiling == pytest.approx(other.ceiling)
    assert (one.ngrams[:2] > 0).all()
    assert one.ngrams[2] == 0
    assert float((one.ngrams / one.ceiling).max()) <= 1


def test_a_question_that_both_say_alike_scores_as_it_did() -> None:
    article = Article("a", "a", "", "湖邊的鴨子睡著了。")
    index = LexicalIndex.build({"a": article}, [Passage("a", "a", 0, 0, 9, article.text)])

    np.testing.assert_array_equal(
        in_both_regions(index, "鴨子在哪裡").ngrams, index.scores("鴨子在哪裡").ngrams
    )
