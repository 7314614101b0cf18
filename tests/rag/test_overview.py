"""What the articles are about, and which there are, is told by how they begin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from corpus.article import Article, Passage
from rag.answer import Answerer
from rag.evaluate import throwaway
from rag.fold import fold
from rag.generation import Generation
from rag.overview import Overview, overview, overview_asked
from rag.read import LinearReader
from rag.result import Hit
from rag.retrieve import Retriever
from rag.service import Service
from rag.support import Support
from tests.rag.tiny_index import HashEmbedder

TITLES = (
    "有哪些文章？",
    "你们收录了哪些文章",
    "列出所有文章",
    "我可以問你什麼",
    "你可以回答什麼問題？",
    "what articles do you have",
    "What can I ask you?",
)
SUMMARIES = (
    "這兩篇文章在講什麼",
    "这篇文章主要讲了什么呢",
    "幫我總結這篇文章",
    "用三句话概括一下",
    "給我三個重點",
    "文章的重點是什麼",
    "tl;dr",
    "what are these articles about?",
    "Can you summarize this for me?",
    "Give me the key points",
)
OF_ONE = {
    "總結一下湖邊紙鳶那篇": "湖边纸鸢",
    "讲灯塔的那篇文章在讲什么": "灯塔",
    "Summarize the lighthouse article": "lighthouse",
    "What is the article on kites about?": "",
    "what is the kite article about?": "kite",
}
SUBJECTS = (
    "總結一下紙鳶實驗",
    "重點是風嗎",
    "這篇文章的重點是風向嗎",
    "文章裡怎麼說紙鳶的",
    "他在這篇文章裡講了什麼理由",
    "這個節目介紹了哪些樂器",
    "有哪些文章提到紙鳶",
    "你覺得什麼是紙鳶",
    "what articles cite the lighthouse study",
    "為什麼",
    "",
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [*((q, "titles") for q in TITLES), *((q, "summaries") for q in SUMMARIES)],
)
def test_who_names_no_subject_wants_all_articles(question: str, kind: str) -> None:
    wanted = overview_asked(fold(question), alone=True)

    assert wanted is not None
    assert (wanted.kind, wanted.of_one, wanted.named) == (kind, False, "")


@pytest.mark.parametrize(("question", "name"), OF_ONE.items())
def test_one_that_is_named_is_that_one(question: str, name: str) -> None:
    wanted = overview_asked(fold(question), alone=True)

    if not name:
        assert wanted is None
    else:
        assert wanted is not None
        assert wanted.of_one
        assert name in wanted.named


@pytest.mark.parametrize("question", SUBJECTS)
def test_questions_on_a_subject_are_none(question: str) -> None:
    assert overview_asked(fold(question), alone=True) is None


def test_after_other_questions_it_is_about_what_was_spoken_of() -> None:
    assert overview_asked("给我三个重点", alone=False) is None
    assert overview_asked("这篇文章的重点", alone=False) == Overview("summaries", of_one=True)
    assert overview_asked("有哪些文章", alone=False) == Overview("titles")


@pytest.mark.parametrize("piece", ["总结", "这篇文章", "给我", "有哪些", "什么", "summary of the "])
def test_a_long_message_is_none_and_takes_no_time(piece: str) -> None:
    assert overview_asked((piece * 4000)[:8000] + "鸢", alone=True) is None
    assert overview_asked((piece * 60)[:59] + "鸢", alone=True) is None


def beginning(metadata: str, body: str) -> tuple[Hit, Hit]:
    article = Article("a", "a.md", "湖邊的紙鳶", f"{metadata}\n\n{body}", len(metadata) + 2)
    end = len(metadata)
    first = Passage("a#0", "a", 0, 0, end, metadata, kind="metadata")
    second = Passage("a#1", "a", 1, end + 2, len(article.text), body)
    return Hit(first, article, 1.0), Hit(second, article, 1.0)


@pytest.mark.parametrize(
    ("metadata", "kind", "quote"),
    [
        ('title: "湖邊的紙鳶"\ndate: 2026', "titles", "湖邊的紙鳶"),
        ('title: "湖邊的紙鳶"\ndescription: "三月的節日。"\nx: 1', "summaries", "三月的節日。"),
        ("湖邊的紙鳶\n摘要：三月的節日。", "summaries", "三月的節日。"),
        ("湖邊的紙鳶\n簡介: '三月'的節日。", "summaries", "'三月'的節日。"),
    ],
)
def test_metadata_is_quoted_without_its_key(metadata: str, kind: str, quote: str) -> None:
    hit, _ = beginning(metadata, "風很大。")
    wanted = Overview("titles" if kind == "titles" else "summaries")

    (citation,) = overview(wanted, [hit])

    assert citation.quote == quote
    assert hit.article.text[citation.start : citation.end] == quote


def test_else_the_first_sentences_are_quoted() -> None:
    first = "湖邊的人每年三月放紙鳶。"
    rest = "誰放得最高，誰就替全村選定那一年播種的日子，從祖父那一輩起一直如此，沒有一年例外。"
    _, hit = beginning("湖邊的紙鳶", f"{first}{rest}今年也一樣。")
    _, short = beginning("湖邊的紙鳶", first)

    quotes = [c.quote for c in overview(Overview("summaries"), [hit, short])]

    assert quotes == [first + rest + "今年也一樣。", first] or quotes == [first + rest, first]
    assert overview(Overview("titles"), [replace(hit)])[0].quote in quotes


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generation]:
    texts = {"kite": "紙鳶在湖邊飛得很高。", "lamp": "燈塔每晚亮著。", "bread": "麵包店開了。"}
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    cache = tmp_path_factory.mktemp("cache") / "vectors.sqlite"
    with throwaway(rows, HashEmbedder(), cache) as generation:
        yield generation


def answered(generation: Generation, question: str, *history: str) -> list[str]:
    retrieval = Retriever(HashEmbedder()).retrieve(generation, question, history)
    draft = Answerer(LinearReader(), Support(), 0.99).answer(generation, retrieval, "hant")
    return [citation.hit.article.id for citation in draft.citations]


def test_every_article_is_told_or_the_one_that_was_meant(generation: Generation) -> None:
    assert sorted(answered(generation, "這些文章在講什麼")) == ["bread", "kite", "lamp"]
    assert answered(generation, "總結一下燈塔那篇文章") == ["lamp"]
    assert answered(generation, "這篇文章的重點是什麼", "紙鳶在湖邊飛得多高") == ["kite"]


@dataclass
class Indifferent:
    """A judge that finds every passage as good; remembers for what it was asked to read."""

    asked: set[str] = field(default_factory=set)

    def relevance(self, question: str, hits: Sequence[Hit]) -> list[float]:
        self.asked.add(question)
        return [0.0 for _ in hits]


@pytest.mark.parametrize(
    ("question", "reads"), [("這些文章在講什麼", False), ("紙鳶與燈塔哪個高", True)]
)
def test_who_asks_about_all_articles_waits_for_no_reading(
    generation: Generation, question: str, reads: bool
) -> None:
    judge = Indifferent()

    assert Retriever(HashEmbedder(), reader=judge).retrieve(generation, question).hits

    assert judge.asked == ({question} if reads else set())


def test_an_article_that_is_not_there_is_not_told(generation: Generation) -> None:
    assert answered(generation, "總結一下鯨魚那篇文章") == []


def test_an_overview_stands_on_its_quotations_in_the_askers_script(service: Service) -> None:
    told = service.ask("这些文章在讲什么？")
    named = service.ask("有哪些文章？")

    assert told.status == named.status == "answered"
    assert (told.variant, named.variant) == ("hans", "hant")
    assert len({c.hit.article.id for c in told.citations}) == 2
    for citation in (*told.citations, *named.citations):
        assert citation.quote == citation.hit.article.text[citation.start : citation.end]
    assert [c.quote for c in named.citations] == [c.hit.article.title for c in named.citations]
    assert {c.hit.passage.id for c in told.citations} == {h.passage.id for h in told.hits}
