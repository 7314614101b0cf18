"""The command line over a Chroma server, as two machines run it, and what people are told."""

import json
from pathlib import Path

import pytest

from bot.render import answer_cards
from bot.shown import Shown
from bot.texts import LANGUAGES, text, why_degraded
from rag.result import VECTORS
from tests.chroma_server import TOKEN, ChromaServer, gate_before
from tests.conftest import Youju

QUESTION = "什麼是 sandbagging？"
KEYS = [
    *("question", "variant", "status", "answer", "citations", "passages", "engine", "degraded"),
    *("generation", "timings_ms"),
]


def test_a_fresh_machine_fetches_asks_and_says_when_words_answer_alone(
    chroma: ChromaServer, tmp_path: Path
) -> None:
    with gate_before(chroma) as gate:
        environment = {
            "YOUJU_CHROMA_URL": gate.url,
            "YOUJU_CHROMA_TOKEN": TOKEN,
            "YOUJU_CHROMA_DATABASE": "the-command-line",
            "YOUJU_CHROMA_DEADLINE": "30",
        }
        one = Youju(tmp_path / "one", environment)
        two = Youju(tmp_path / "two", environment)
        built = one("reindex", "--json")
        fetched = two("ask", QUESTION, "--json")
        gate.fault = "401"
        alone = two("ask", QUESTION)
        fresh = Youju(tmp_path / "three", environment)("status")

    assert built.code == 0, built.err
    answer = json.loads(fetched.out)
    assert list(answer) == KEYS
    assert answer["generation"] == json.loads(built.out)["generation"]
    assert (answer["status"], answer["degraded"]) == ("answered", None)
    assert "Indexing" not in fetched.err
    assert alone.code == 0
    assert text("zh-TW", "degraded.vectors") in alone.out.replace("\n", "")
    assert fresh.code == 6
    assert "YOUJU_CHROMA_TOKEN" in fresh.err
    assert TOKEN not in built.err + fetched.err + alone.err + fresh.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_is_told_in_the_readers_language(language: str) -> None:
    alone = why_degraded(VECTORS, language)
    both = why_degraded(f"timeout+{VECTORS}", language)

    assert alone == text(language, "degraded.vectors")
    assert both == f"{why_degraded('timeout', language)} {alone}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("engine", ["extractive", "llm:qwen"])
def test_a_card_tells_of_it_in_a_refusal_too(language: str, engine: str) -> None:
    shown = Shown(
        kind="ask",
        question=QUESTION,
        history=(),
        variant="hant",
        language=language,
        status="refused",
        texts={"hant": "文章裡沒有提到。", "hans": "文章里没有提到。"},
        citations=(),
        nearest=(),
        generation="g",
        engine=engine,
        degraded=VECTORS,
    )

    card = json.dumps(answer_cards(shown, "key")[0].to_components(), ensure_ascii=False)

    assert text(language, "degraded.vectors") in card
    assert ("qwen" in card) == (engine != "extractive")
