"""Names in a question that no passage knows."""

import pytest

from corpus.article import Article, Passage
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.terms import Terms
from rag.unknown_names import unknown_names

TEXT = (
    "小李把 Redis 的 models 搬到伺服器上，2019 年換成叢集，"
    "company 和 databases 都說 GPT-4 很 naïve。"
)


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    articles = {"a": Article("a", "a", "Kafka 搬家記", TEXT)}
    terms = Terms({"伺服器": (0,), "server": (0,), "postgr": (1,), "资料库": (1,)}, 3)
    return LexicalIndex.build(articles, [Passage("a", "a", 0, 0, len(TEXT), TEXT)], terms)


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("小李的 Redis 後來怎麼了？", ()),
        ("小李的 ＲＥＤＩＳ 後來怎麼了？", ()),  # full width
        ("小李的 Mongo 後來怎麼了？", ("mongo",)),
        ("那個 model 搬到哪裡去了？", ()),  # stands there in the plural
        ("小李有幾個 database？", ()),
        ("哪些 companies 說過這個？", ()),
        ("GPT4 後來怎麼了？", ()),
        ("GPT5 後來怎麼了？", ("gpt5",)),
        ("小李為什麼這麼 naïve？", ()),
        ("請問一下 what is 叢集？", ()),  # asks, and names nothing
        ("Kafka 為什麼要搬家？", ()),  # stands in the title
        ("小李的 server 在哪裡？", ()),  # stands there in other words
        ("小李的 Postgres 在哪裡？", ("postgres",)),  # no other word for it stands there either
        ("2019 年換成了什麼？", ()),
        ("2021 年的 Mongo，和 Mongo 叢集？", ("2021", "mongo")),
        ("Where did Mongo go?", ()),  # says all of it in other words
        ("小李 C 計畫？", ()),  # one letter is no name
        ("", ()),
    ],
)
def test_names_that_no_passage_has(
    index: LexicalIndex, question: str, unknown: tuple[str, ...]
) -> None:
    assert unknown_names(question, index) == unknown


def test_an_index_of_nothing_knows_no_name() -> None:
    empty = LexicalIndex.build({}, [])

    assert unknown_names("小李的 Redis 後來怎麼了？", empty) == (fold("Redis"),)


def test_a_cold_question_does_not_wait_for_the_lengths_of_all_forms() -> None:
    terms = Terms({"伺服器": (0,), "server": (0,)}, 3)
    cold = LexicalIndex.build({}, [], terms)

    assert unknown_names("小李的 server 在哪裡？", cold) == ("server",)
    assert "_lengths" not in vars(terms)


def test_a_passage_can_be_left_apart(index: LexicalIndex) -> None:
    question = "小李的 Redis 和 server 在 2019 年怎麼了？"

    assert unknown_names(question, index, f"Kafka 搬家記\n{TEXT}") == ("redis", "server", "2019")
    assert unknown_names(question, index, "小李的 Redis") == ("redis",)
