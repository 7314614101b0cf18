"""The passages that come first, looked at closely."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Passage
from rag.lexical import LexicalIndex
from rag.question import Query
from rag.ranker import FEATURES, LEAD, NEAR, Ranker, close, judge_of
from rag.read import LinearReader
from rag.result import Hit

SPREAD = (
    "漁港的市場清晨四點開門。老街的茶行多半中午才開。廟口的攤子由三個家族輪流經營。"
    "碼頭的倉庫去年改成了書店，週末總是擠滿了人。"
)
TOLD = "碼頭旁那間舊茶行，由廟祝的女兒經營。她每天只賣三十壺。"
OTHER = "山上的步道長八公里，下雨天不開放。"


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return Ranker()


def hits_of(*scored: tuple[str, float]) -> list[Hit]:
    articles = [Article(f"a{n}", f"a{n}", "", text) for n, (text, _) in enumerate(scored)]
    return [
        Hit(Passage(f"{a.id}#0", a.id, 0, 0, len(a.text), a.text), a, score)
        for a, (_, score) in zip(articles, scored, strict=True)
    ]


def as_metadata(hit: Hit) -> Hit:
    return replace(hit, passage=replace(hit.passage, kind="metadata"))


def index_of(hits: list[Hit]) -> LexicalIndex:
    return LexicalIndex.build({h.article.id: h.article for h in hits}, [h.passage for h in hits])


def ids(hits: list[Hit]) -> list[str]:
    return [hit.article.id for hit in hits]


def test_a_sentence_that_holds_it_all_comes_before_words_here_and_there(ranker: Ranker) -> None:
    hits = hits_of((SPREAD, 0.44), (TOLD, 0.42), (OTHER, 0.40))

    found = ranker.ranked(Query("碼頭的茶行是誰經營的？"), hits, index_of(hits))

    assert ids(found)[0] == "a1"
    assert found[0].score == 0.44


def test_a_number_that_was_asked_about_counts(ranker: Ranker) -> None:
    earlier, later = "展覽在 1987 年開幕，展出陶器。", "展覽在 1992 年開幕，展出陶器。"
    hits = hits_of((earlier, 0.44), (later, 0.43))

    found = ranker.ranked(Query("1992 年的展覽展出什麼？"), hits, index_of(hits))

    assert ids(found) == ["a1", "a0"]


def test_what_was_asked_before_counts_too(ranker: Ranker) -> None:
    tea = "茶行是一九三零年開張的，老闆姓陳。"
    bath = "澡堂是一九五二年開張的，老闆姓黃。"
    hits = hits_of((tea, 0.44), (bath, 0.43))

    alone = ranker.ranked(Query("它是哪一年開張的？"), hits, index_of(hits))
    after = ranker.ranked(Query("它是哪一年開張的？", "澡堂在哪裡？", 0.4), hits, index_of(hits))

    assert ids(alone) == ["a0", "a1"]
    assert ids(after) == ["a1", "a0"]


def test_a_passage_that_leads_clearly_stays_first(ranker: Ranker) -> None:
    hits = hits_of((SPREAD, 0.44 + LEAD), (TOLD, 0.42))

    assert ranker.ranked(Query("碼頭的茶行是誰經營的？"), hits, index_of(hits)) == hits


def test_metadata_that_comes_first_was_asked_for(ranker: Ranker) -> None:
    hits = hits_of(("作者: 林曉", 0.5), (SPREAD, 0.44), (TOLD, 0.42))
    hits[0] = as_metadata(hits[0])

    assert ranker.ranked(Query("碼頭的茶行是誰經營的？"), hits, index_of(hits)) == hits


def test_metadata_among_the_first_falls_behind_them(ranker: Ranker) -> None:
    hits = hits_of((SPREAD, 0.44), ("日期: 2020-01-01", 0.43), (TOLD, 0.42))
    hits[1] = as_metadata(hits[1])

    found = ranker.ranked(Query("碼頭的茶行是誰經營的？"), hits, index_of(hits))

    assert ids(found) == ["a2", "a0", "a1"]
    assert found[2] == hits[1]


def test_no_passage_and_one_are_left_alone(ranker: Ranker) -> None:
    one = hits_of((TOLD, 0.4))

    assert ranker.ranked(Query("誰經營的？"), [], index_of(one)) == []
    assert ranker.ranked(Query("誰經營的？"), one, index_of(one)) == one


def test_passages_without_a_sentence_and_questions_without_a_word_are_ranked(
    ranker: Ranker,
) -> None:
    hits = hits_of((" ", 0.4), ("🍜", 0.39), (TOLD, 0.38))

    for question in ("🍜", "？", "誰經營的？", "1" * 5000):
        values = ranker.features(question, hits, index_of(hits))
        found = ranker.ranked(Query(question), hits, index_of(hits))

        assert values.shape == (len(hits), len(FEATURES))
        assert np.isfinite(values).all()
        assert sorted(ids(found)) == ["a0", "a1", "a2"]


def test_the_embedding_may_have_missed_a_passage(ranker: Ranker) -> None:
    hits = hits_of((SPREAD, 0.44), (TOLD, 0.42))
    seen = [replace(hits[0], dense=0.3), hits[1]]

    values = ranker.features("誰經營茶行？", seen, index_of(hits))

    assert values[:, FEATURES.index("cosine")].tolist() == [0.3, 0.3]


@dataclass
class FakeJudge:
    """Likes what holds a word, by so many log-odds; remembers what it read."""

    liked: str
    by: float = 8.0
    read: list[tuple[str, str]] = field(default_factory=list)

    def relevance(self, question: str, hits: Sequence[Hit]) -> list[float]:
        self.read += [(question, hit.article.id) for hit in hits]
        return [self.by * (self.liked in hit.passage.text) for hit in hits]


def test_who_reads_the_passages_has_a_word(ranker: Ranker) -> None:
    hits, query = hits_of((SPREAD, 0.44), (TOLD, 0.42)), Query("碼頭的茶行是誰經營的？")
    judge = FakeJudge("倉庫", by=40.0)

    assert ids(ranker.ranked(query, hits, index_of(hits))) == ["a1", "a0"]
    assert ids(ranker.ranked(query, hits, index_of(hits), judge)) == ["a0", "a1"]


def test_only_passages_that_may_move_are_read(ranker: Ranker) -> None:
    query = Query("碼頭的茶行是誰經營的？")
    leads = hits_of((SPREAD, 0.44 + LEAD), (TOLD, 0.42))
    close_ones = hits_of((SPREAD, 0.44), ("日期: 2020-01-01", 0.43), (TOLD, 0.42), (OTHER, 0.41))
    close_ones[1] = as_metadata(close_ones[1])
    judge = FakeJudge("山")

    assert ranker.ranked(query, leads, index_of(leads), judge) == leads
    assert judge.read == []

    ranker.ranked(query, close_ones, index_of(close_ones), judge)
    assert judge.read == [(query.text, "a0"), (query.text, "a2")]


def test_a_question_that_follows_others_is_not_judged_by_its_own_words(ranker: Ranker) -> None:
    hits, judge = hits_of((SPREAD, 0.44), (TOLD, 0.42)), FakeJudge("倉庫", by=40.0)
    query = Query("它是誰經營的？", "碼頭的茶行在哪裡？", 0.4)

    assert ranker.ranked(query, hits, index_of(hits), judge) == ranker.ranked(
        query, hits, index_of(hits)
    )
    assert judge.read == []


@pytest.mark.parametrize(
    ("reader", "judges"), [(FakeJudge(""), True), (LinearReader(), False), (None, False)]
)
def test_not_every_reader_judges_passages(reader: object, judges: bool) -> None:
    assert judge_of(reader) is (reader if judges else None)


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=8),
    judge=st.none() | st.builds(FakeJudge, st.sampled_from("茶山貓"), st.floats(-1e3, 1e3)),
)
def test_only_close_passages_move_and_scores_fall(
    ranker: Ranker, scores: list[float], judge: FakeJudge | None
) -> None:
    texts = (SPREAD, TOLD, OTHER)
    hits = hits_of(*((texts[n % 3], s) for n, s in enumerate(sorted(scores, reverse=True))))
    near = close(hits)

    found = ranker.ranked(Query("碼頭的茶行是誰經營的？"), hits, index_of(hits), judge)

    assert len(near) <= NEAR
    assert found[0].score == hits[0].score
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert set(ids(found)[: len(near)]) == set(ids(near))
    assert found[len(near) :] == hits[len(near) :]
