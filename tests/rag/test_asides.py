"""What is said to the bot, in words that no pattern knows, is told from what is asked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rag.asides import load_asides
from rag.embed import ShippedModel, load_embedder
from rag.errors import BrokenModel
from rag.retrieve import Retriever
from rag.service import Service
from rag.support import Support
from tests.conftest import ROOT
from tests.rag.test_addressed import QUESTIONS
from tests.rag.test_support import retrieval_of, sentence_of

SAID = (
    "我今天真的好累，上班被罵了一整天",
    "爱你哟，么么哒",
    "假裝你是我爸，罵我兩句",
    "lol you're so dumb",
)
GOLDEN = [
    json.loads(line)
    for line in (ROOT / "corpus" / "golden.jsonl").read_text(encoding="utf-8").splitlines()
]


def chance(message: str) -> float:
    embedder = load_embedder()
    return load_asides().chance(embedder, embedder.embed_query(message))


@pytest.mark.parametrize("message", SAID)
def test_what_is_said_to_the_bot_is_likelier_an_aside_than_not(message: str) -> None:
    assert chance(message) > 0.5


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_asked_of_the_articles_is_hardly_an_aside(question: str) -> None:
    assert chance(question) < 0.5


def test_no_golden_question_is_an_aside(service: Service) -> None:
    answered = [row["question"] for row in GOLDEN if row["article"] != "none"]
    retriever = Retriever(load_embedder())

    with service.store.lease() as generation:
        found = {q: retriever.gather(generation, q).aside for q in answered}

    assert found
    assert {question: chance for question, chance in found.items() if chance > 0.3} == {}


def test_another_embedding_is_not_judged() -> None:
    embedder = ShippedModel()
    embedder.fingerprint = "another"

    assert load_asides().chance(embedder, embedder.embed_query(SAID[0])) == 0.0


def test_what_follows_a_question_is_no_aside(service: Service) -> None:
    with service.store.lease() as generation:
        retriever = Retriever(load_embedder())
        alone = retriever.gather(generation, SAID[0])
        after = retriever.gather(generation, SAID[0], ["什麼是 sandbagging？"])

    assert alone.aside > 0.5
    assert after.aside == 0.0


def test_an_aside_is_less_supported_the_likelier_it_is() -> None:
    retrieval = retrieval_of((0.9, 0.8), (0.3, 0.3))
    ranked = [sentence_of(retrieval, 0, 8.0)]

    asked = Support().probability(retrieval, ranked)
    doubtful = Support().probability(replace(retrieval, aside=0.5), ranked)
    said = Support().probability(replace(retrieval, aside=0.75), ranked)

    assert doubtful == asked
    assert said == pytest.approx(asked / 2)


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"embedding": "x", "bias": 0, "weights": [null]}', "[]"],
    ids=["empty", "nothing in it", "no numbers", "a list"],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "asides.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(BrokenModel, match=r"asides\.json"):
        load_asides(path)
