"""The whole way from a question to a cited answer, over the digests."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from corpus.article import Article, Passage
from rag import ranker
from rag.answer import quoted, refusal
from rag.errors import EmptyQuestion
from rag.passage_reader import READ, Network, PassageReader
from rag.result import Citation, Hit
from rag.retrieve import Fusion, Retriever
from rag.service import Service
from rag.variant import purity
from tests.conftest import ROOT

_QUESTIONS = [
    "什麼是 sandbagging？",
    "伪装对齐的比例最高到多少？",
    "Izmailov 在哪裡長大？",
    "Claude 为什么假装服从？",
    "Which company did Izmailov join after xAI?",
    "契訶夫之槍是什麼意思？",
]


@pytest.mark.parametrize("question", _QUESTIONS)
def test_every_citation_is_verbatim_and_lies_in_its_passage(
    service: Service, question: str
) -> None:
    answer = service.ask(question)

    for citation in answer.citations:
        article = citation.hit.article
        assert article.text[citation.start : citation.end] == citation.quote
        assert citation.hit.passage.start <= citation.start < citation.end
        assert citation.end <= citation.hit.passage.end
        with service.store.lease() as generation:
            assert generation.content.text(article.id) == article.text


@pytest.mark.parametrize("question", _QUESTIONS)
@pytest.mark.parametrize("variant", ["hant", "hans"])
def test_the_answer_is_in_the_script_that_was_chosen(
    service: Service, question: str, variant: str
) -> None:
    answer = service.ask(question, variant=variant)  # type: ignore[arg-type]

    wanted, bearing = purity(answer.text, answer.variant)
    assert answer.variant == variant
    assert wanted == bearing


def test_the_other_script_of_a_question_finds_the_same(service: Service) -> None:
    one, other = service.search("偽裝對齊的比例是多少？"), service.search("伪装对齐的比例是多少？")

    assert [hit.passage.id for hit in one.hits] == [hit.passage.id for hit in other.hits]
    assert [hit.score for hit in one.hits] == pytest.approx([hit.score for hit in other.hits])


def test_hits_are_ranked_and_tell_what_each_leg_saw(service: Service) -> None:
    hits = service.search("思維鏈能不能用來監控模型？", 10).hits

    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.passage.id for hit in hits}) == 10
    assert hits[0].dense_rank is not None
    assert all((hit.lexical_rank is None) == (hit.lexical == 0) for hit in hits)


def test_a_rank_is_that_of_the_whole_leg_or_none(service: Service) -> None:
    hits = service.search("思維鏈能不能用來監控模型？", 100).hits
    ranked = sorted(
        (hit for hit in hits if hit.lexical_rank), key=lambda hit: hit.lexical_rank or 0
    )

    best = sorted((hit.lexical for hit in hits), reverse=True)[: len(ranked)]
    assert [hit.lexical_rank for hit in ranked] == [*range(1, len(ranked) + 1)]
    assert [hit.lexical for hit in ranked] == best
    assert 0 < len(ranked) <= 50 < len(hits)


def test_a_follow_up_is_understood_from_its_history(service: Service) -> None:
    answer = service.ask("他在哪裡長大？", history=["Izmailov 是誰？"])

    assert "莫斯科" in answer.hits[0].passage.text


def test_a_follow_up_is_answered_itself_not_the_question_before_it(service: Service) -> None:
    answer = service.ask("他在哪家公司工作？", history=["Izmailov 在哪裡長大？"])

    assert "Anthropic" in answer.text
    assert "莫斯科" not in answer.text


def test_a_new_subject_is_not_drowned_by_the_one_before(service: Service) -> None:
    history = ["為什麼思維鏈不能完全相信？"]

    asked = service.ask("什麼是 sandbagging？", history=history)

    assert asked.text == service.ask("什麼是 sandbagging？").text


@pytest.mark.parametrize("more", ["還有呢？", "为什么？", "And then?"])
def test_who_wants_more_is_told_something_new(service: Service, more: str) -> None:
    asked = ["為什麼思維鏈不能完全相信？"]
    said: list[Citation] = list(service.ask(asked[0]).citations)
    for _ in range(2):
        answer = service.ask(more, history=asked)
        for citation in answer.citations:
            assert not any(
                citation.hit.article.id == old.hit.article.id
                and citation.start < old.end
                and old.start < citation.end
                for old in said
            )
        said += answer.citations
        asked.append(more)
    assert len(said) > 1


@pytest.mark.parametrize("question", ["還有呢？", "为什么？", "那怎麼辦？", "And then?"])
def test_nothing_is_answered_when_nobody_knows_what_about(service: Service, question: str) -> None:
    assert service.ask(question).status == "refused"


def test_a_refusal_names_no_article_without_a_title(service: Service) -> None:
    hits = service.search("什麼是 sandbagging？").hits
    nameless = [
        replace(h, article=replace(h.article, title=""), passage=replace(h.passage, headings=()))
        for h in hits
    ]

    assert "「」" not in refusal(nameless, "hant")
    assert "「" in refusal(hits, "hant")


def test_more_until_nothing_is_left_ends_in_a_refusal(service: Service) -> None:
    answer = service.ask("還有呢？", history=["什麼是 sandbagging？", *["還有呢？"] * 40])

    assert answer.status == "refused"


@pytest.mark.parametrize(
    "question", ["作者是誰？", "這是什麼時候發表的？", "原文連結？", "Who wrote this?"]
)
@pytest.mark.parametrize(
    "before", ["Izmailov 在哪裡長大？", "Claude 在实验里假装对齐的比例是多少？"]
)
def test_metadata_is_that_of_the_article_that_was_spoken_of(
    service: Service, question: str, before: str
) -> None:
    spoken_of = service.ask(before).citations[0].hit.article

    answer = service.ask(question, history=[before])

    assert {(c.hit.article.id, c.hit.passage.kind) for c in answer.citations} == {
        (spoken_of.id, "metadata")
    }


def test_who_wrote_it_is_answered_from_the_metadata(service: Service) -> None:
    hits = service.search("偽裝對齊那篇的作者是誰？").hits

    assert "metadata" in {hit.passage.kind for hit in hits[:2]}


def test_the_link_is_that_of_the_article_that_is_named(service: Service) -> None:
    answer = service.ask("Izmailov 那集節目的連結")

    assert {c.hit.article.id for c in answer.citations} == {"izmailov-three-labs"}
    assert "youtube" in answer.text


@pytest.mark.parametrize("question", ["兩篇文章各是哪一天發布的？", "两篇的作者分别是谁？"])
def test_metadata_of_each_article_is_cited_from_each(service: Service, question: str) -> None:
    answer = service.ask(question)

    assert {c.hit.passage.kind for c in answer.citations} == {"metadata"}
    assert len({c.hit.article.id for c in answer.citations}) == 2


def test_a_question_without_words_is_an_error_of_the_asker(service: Service) -> None:
    with pytest.raises(EmptyQuestion):
        service.ask("🍜")


def test_many_threads_get_what_one_gets(service: Service) -> None:
    alone = [service.ask(question).text for question in _QUESTIONS]
    together: dict[int, str] = {}

    def ask(n: int) -> None:
        together[n] = service.ask(_QUESTIONS[n % len(_QUESTIONS)]).text

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [together[n] for n in range(24)] == alone * 4


def test_the_dense_leg_is_heard_less_the_more_the_words_cover(service: Service) -> None:
    with service.store.lease() as generation:
        both = Retriever(service.embedder, Fusion(trust=0.001))
        words = Retriever(service.embedder, Fusion(dense=0.0))
        question = "模型越強大，對齊就越重要，也越困難"

        found = both.retrieve(generation, question).hits
        lexical = words.retrieve(generation, question).hits

    assert [hit.passage.id for hit in found] == [hit.passage.id for hit in lexical]


def test_why_tells_the_same_as_ask(service: Service) -> None:
    trace, answer = service.why("什麼是 sandbagging？"), service.ask("什麼是 sandbagging？")

    assert trace.status == answer.status
    assert [hit.passage.id for hit in trace.hits[:5]] == [hit.passage.id for hit in answer.hits]


def test_an_answer_reads_its_passages_once_and_a_search_does_not(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, whole = list[tuple[object, ...]](), Network._run
    monkeypatch.setattr(Network, "_run", lambda self, pair: read.append(pair) or whole(self, pair))
    question = "沙袋行為會不會騙過能力評測呢？"

    assert service.search(question, 10).hits
    assert read == []

    service.ask(question)
    assert 0 < len(read) <= READ


def test_what_the_reader_thinks_of_passages_counts_where_an_answer_is_wanted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "模型越強大，對齊為什麼越難？"
    monkeypatch.setattr(ranker, "LEAD", 10.0)  # the first never leads clearly
    searched = [hit.passage.id for hit in service.search(question).hits]

    def last_first(*given: Sequence[Hit]) -> list[float]:
        return [100.0 * n for n, _ in enumerate(given[-1])]

    monkeypatch.setattr(PassageReader, "relevance", last_first)
    asked = service.ask(question).hits

    assert [hit.passage.id for hit in service.search(question).hits] == searched
    assert [hit.passage.id for hit in asked] != searched
    assert {hit.passage.id for hit in asked} == set(searched)
    assert [hit.passage.id for hit in service.why(question).hits[:5]] == [
        hit.passage.id for hit in asked
    ]
    [examined] = service.examine([{"question": question, "gold_quotes": ["x"]}]).examined
    assert [hit.text for hit in examined.hits] == [hit.passage.text[:160] for hit in asked]


def test_a_llama_index_program_can_ask_our_index(service: Service) -> None:
    from rag.llama import YoujuRetriever

    nodes = YoujuRetriever(service, k=3).retrieve("什麼是 sandbagging？")

    assert [n.node.id_ for n in nodes] == [
        hit.passage.id for hit in service.search("什麼是 sandbagging？", 3).hits
    ]
    assert nodes[0].node.metadata["title"]


def test_the_golden_questions_are_found_and_answered(service: Service) -> None:
    from rag.evaluate import read_rows

    scores = service.examine(read_rows(ROOT / "corpus" / "golden.jsonl", "question")).scores

    assert scores["hit@5"] >= 0.9
    assert scores["refused"] >= 0.7
    assert scores["over_refused"] <= 0.25


def test_a_title_that_is_an_ordinary_word_is_brought_to_the_askers_script() -> None:
    article = Article("a", "a", "梵語", "梵語是一種語言。")
    hit = Hit(Passage("a", "a", 0, 0, 8, article.text), article, 1.0)

    assert quoted([Citation(1, hit, article.text, 0, 8, 1.0)], "hans") == "梵语是一种语言。[1]"
