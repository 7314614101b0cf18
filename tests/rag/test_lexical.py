"""The lexical leg and the terms bridge."""

import random
import re
from pathlib import Path

import numpy as np
import pytest

from corpus.article import Article, Passage
from rag.counts import Counts
from rag.errors import BadTermsFile
from rag.lexical import _CHARACTER, _NUMBER, LexicalIndex, Postings
from rag.terms import SHIPPED, compile_terms, load_terms, with_local_terms
from rag.tokens import HAN, stem, tokens


def _index(*texts: str, terms: object = None) -> LexicalIndex:
    articles = {str(n): Article(str(n), str(n), "", text) for n, text in enumerate(texts)}
    passages = [Passage(str(n), str(n), 0, 0, len(t), t) for n, t in enumerate(texts)]
    return LexicalIndex.build(articles, passages, terms)  # type: ignore[arg-type]


def test_tokens_are_han_unigrams_and_bigrams_and_whole_words() -> None:
    assert tokens("对齐ai o1") == ["对", "齐", "对齐", "ai", "o1"]


@pytest.mark.parametrize(
    ("word", "stemmed"), [("studies", "study"), ("models", "model"), ("is", "is")]
)
def test_stem_takes_one_english_ending_off(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_a_question_in_the_other_script_scores_the_same() -> None:
    index = _index("模型會隱藏真實意圖", "天氣很好")

    traditional, simplified = index.scores("隱藏意圖"), index.scores("隐藏意图")

    np.testing.assert_array_equal(traditional.ngrams, simplified.ngrams)
    assert traditional.ngrams[0] > 0 == traditional.ngrams[1]


def test_an_idea_in_other_words_counts_only_where_the_own_words_are_absent() -> None:
    index = _index("人工智能很强", "人工智慧很強", "天气很好")

    scores = index.scores("人工智能")

    assert scores.ideas[0] == 0
    assert scores.ideas[1] > 0
    assert scores.ideas[2] == 0


def test_an_english_question_finds_the_chinese_idea() -> None:
    index = _index("他們用強化學習訓練模型", "天氣很好")

    assert index.scores("reinforcement learning?").ideas[0] > 0


def test_unknown_words_score_nothing_and_break_nothing() -> None:
    scores = _index("天气很好").scores("xyzzy")

    assert scores.ngrams.tolist() == scores.ideas.tolist() == [0]
    assert scores.ceiling > 0


def test_an_index_over_nothing_or_without_words_answers_with_nothing() -> None:
    assert _index().scores("對齊").ngrams.shape == (0,)
    assert _index("……", "🍜").scores("對齊").ngrams.tolist() == [0, 0]


def test_a_saved_index_scores_as_it_did(tmp_path: Path) -> None:
    index = _index("模型會隱藏真實意圖", "天氣很好", "人工智慧")
    index.save(tmp_path)

    loaded = LexicalIndex.load(tmp_path)

    assert len(loaded) == 3
    for question in ("人工智能", "隐藏"):
        before, after = index.scores(question), loaded.scores(question)
        np.testing.assert_array_equal(before.ngrams, after.ngrams)
        np.testing.assert_array_equal(before.ideas, after.ideas)
        assert before.ceiling == pytest.approx(after.ceiling)


def test_a_number_says_more_than_the_words_around_it() -> None:
    index = _index("茶行的賬本裡有幾頁缺了。", "那一年賣出的是 312 擔。", "門口掛著一盞燈。")

    scores = index.scores("茶行 312 是什麼？")

    assert scores.ngrams.argmax() == 1
    assert scores.ngrams[0] > 0 == scores.ngrams[2]


def test_only_characters_that_stand_alone_and_numbers_have_weights_of_their_own() -> None:
    index = _index("对齐", "对齐 o1", "无")

    def share(question: str, weights: dict[str, float]) -> None:
        idf = index.idf(list(weights))
        expected = sum(idf[token] * weight for token, weight in weights.items())
        assert index.scores(question).ceiling == pytest.approx(expected)

    share("对齐", {"对": _CHARACTER, "齐": _CHARACTER, "对齐": 1.0})
    share("o1 q", {"o1": 1.0, "q": 1.0})
    share("2026", {"2026": _NUMBER})
    share("ア 가", {"ア": 1.0, "가": 1.0})


def test_the_ceiling_is_above_what_a_whole_match_scores() -> None:
    index = _index("模型會隱藏真實意圖", "天氣很好")

    scores = index.scores("模型會隱藏真實意圖")

    assert 0.3 < scores.ngrams[0] / scores.ceiling <= 1.0


def test_postings_give_bm25_by_hand() -> None:
    postings = Postings(Counts.of([["a"], ["b"]]))

    rows, scores = postings.of("a")

    # One document of two, of mean length: idf ln(1 + 1.5/1.5), tf 1/(1 + 1.2).
    assert rows.tolist() == [0]
    assert scores.tolist() == pytest.approx([np.log(2) / 2.2])
    assert postings.of("unknown")[0].tolist() == []


def test_the_folded_forms_that_ship_are_those_of_the_thesaurus() -> None:
    assert load_terms().groups == compile_terms(SHIPPED / "terms.jsonl").groups


def test_forms_are_found_in_a_passage_as_by_trying_every_length() -> None:
    terms, chance = load_terms(), random.Random(8)
    forms = [form for form in terms.groups if " " not in form]

    def longest(run: str, at: int) -> str | None:
        ends = range(min(len(run), at + terms.longest), at + 1, -1)
        return next((run[at:end] for end in ends if run[at:end] in terms.groups), None)

    for _ in range(200):
        pieces = [*chance.sample(forms, 9), "的", "，", " ", "x1"]
        text = "".join(chance.sample(pieces, len(pieces)))
        runs = re.findall(f"[a-z0-9]*[{HAN}][{HAN}a-z0-9]*", text)

        found = [form for form, _ in terms._han(text, terms._lengths.get)]

        assert found == [f for run in runs for at in range(len(run)) if (f := longest(run, at))]


def test_moderators_add_groups_beside_their_articles(tmp_path: Path) -> None:
    (tmp_path / "terms.csv").write_text(
        "# 一行一組\n放水,摸魚俠,slacker hero\n", encoding="utf-8-sig"
    )

    terms = with_local_terms(load_terms(), tmp_path)

    assert set(terms.groups["摸鱼侠"]) <= set(terms.groups["放水"])
    assert terms.groups["slacker hero"] == terms.groups["摸鱼侠"]


def test_a_terms_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "terms.csv").write_bytes("放水,摸魚".encode("big5"))

    with pytest.raises(BadTermsFile, match=r"terms\.csv"):
        with_local_terms(load_terms(), tmp_path)
