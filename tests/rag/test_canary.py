"""Golden questions decide whether a new index may serve."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rag import rebuild as rebuilding
from rag.canary import read_questions
from rag.errors import BuilderFailed, CanaryFell
from rag.generations import GenerationStore
from rag.order import Order, error_from, error_message, report_from, report_message
from rag.rebuild import rebuild
from rag.result import ArticleChanges, ReindexReport, Worse
from rag.settings import Settings
from tests.conftest import Youju
from tests.rag.tiny_index import HashEmbedder

ARTICLES = {
    "cats": "# 貓\n\n貓一天要睡十六個小時，比狗多得多。",
    "tea": "# 茶\n\n綠茶要用攝氏八十度的水沖泡。",
    "coffee": "# 咖啡\n\n咖啡豆原產於衣索比亞的高原。",
}
GOLDEN = [
    {"id": "c", "question": "貓一天要睡幾個小時？", "gold_quotes": ["貓一天要睡十六個小時"]},
    {"id": "t", "question": "綠茶要用幾度的水沖泡？", "gold_quotes": ["綠茶要用攝氏八十度的水"]},
    {"id": "k", "question": "咖啡豆原產於哪裡？", "gold_quotes": ["咖啡豆原產於衣索比亞"]},
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "load_embedder", lambda _: HashEmbedder())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in GOLDEN)
    (folder / "golden.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture
def first(corpus: Path) -> str:
    return built(corpus).generation


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GenerationStore]:
    with closing(GenerationStore(tmp_path / "data")) as opened:
        yield opened


def built(corpus: Path, force: bool = False, **others: Any) -> ReindexReport:
    settings = Settings(
        _env_file=None,
        corpus_dir=corpus,
        data_dir=corpus.parent / "data",
        rerank_model="none",
        support=0.0,
        **others,
    )
    return rebuild(Order.of(settings, force=force), lambda _: None)


def test_a_fall_keeps_what_serves_and_names_the_questions(
    corpus: Path, first: str, store: GenerationStore
) -> None:
    (corpus / "cats.md").write_text("# 貓\n\n貓的事情改天再說，先說別的。", encoding="utf-8")

    with pytest.raises(CanaryFell, match="Of 3 golden questions, 1 fewer") as caught:
        built(corpus)

    (worse,) = caught.value.worse
    assert (worse.id, worse.question) == ("c", "貓一天要睡幾個小時？")
    assert worse.before == "right, passage found at 1"
    assert worse.after.endswith("passage not found")
    assert store.shelf.serving() == first
    assert [p.name for p in (corpus.parent / "data" / "generations").iterdir()] == [first]


def test_it_may_be_forced(corpus: Path, first: str, store: GenerationStore) -> None:
    (corpus / "cats.md").write_text("# 貓\n\n貓的事情改天再說，先說別的。", encoding="utf-8")

    report = built(corpus, force=True)

    assert [w.id for w in report.worse] == ["c"]
    assert store.shelf.serving() == report.generation != first


def test_within_the_tolerance_it_switches_and_says_what_got_worse(corpus: Path, first: str) -> None:
    (corpus / "cats.md").write_text("# 貓\n\n貓的事情改天再說，先說別的。", encoding="utf-8")

    report = built(corpus, canary_tolerance=0.4)

    assert report.generation != first
    assert [w.id for w in report.worse] == ["c"]


def test_a_change_that_harms_no_answer_is_let_through(corpus: Path, first: str) -> None:
    (corpus / "milk.md").write_text("# 牛奶\n\n牛奶要放進冰箱。", encoding="utf-8")

    report = built(corpus)

    assert report.generation != first
    assert report.worse == ()


def test_a_model_that_is_gone_is_told_and_nothing_is_compared(
    corpus: Path, first: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Other(HashEmbedder):
        name, fingerprint = "other", "other-1"

    monkeypatch.setattr(rebuilding, "load_embedder", lambda _: Other())
    monkeypatch.setattr("rag.canary.load_embedder", lambda _: Other())
    (corpus / "cats.md").unlink()

    report = built(corpus)

    assert report.generation != first
    assert "not compared" in caplog.text


def test_the_inner_file_comes_first_and_a_damaged_line_is_named(
    corpus: Path, caplog: pytest.LogCaptureFixture
) -> None:
    beside = [{"id": "c", "question": "別的問題"}, {"id": "o", "question": "旁邊的問題"}]
    lines = [json.dumps(row, ensure_ascii=False) for row in beside]
    (corpus.parent / "golden.jsonl").write_text("\n".join([*lines, "{"]), encoding="utf-8")

    found = read_questions(corpus)

    assert [row["id"] for row in found] == ["c", "t", "k", "o"]
    assert found[0]["question"] == GOLDEN[0]["question"]
    assert "line 3 is no golden question" in caplog.text


def test_many_golden_questions_are_sampled(corpus: Path) -> None:
    rows = [json.dumps({"id": str(n), "question": f"問題{n}"}) for n in range(1000)]
    (corpus / "golden.jsonl").write_text("\n".join(rows), encoding="utf-8")

    found = read_questions(corpus)

    assert len(found) == 200
    assert found[1]["id"] == "5"


def test_the_questions_cross_between_the_processes() -> None:
    worse = (Worse("g1", "問題？", "right", "wrong"),)
    error = error_from(error_message(CanaryFell(2, 30, worse)))
    report = ReindexReport("g", ArticleChanges(), 1, 0, 0.5, worse=worse)

    assert isinstance(error, CanaryFell)
    assert (error.worse, error.fall, error.asked) == (worse, 2, 30)
    assert str(error) == str(CanaryFell(2, 30, worse))
    assert report_from(report_message(report)) == report
    assert isinstance(error_from(error_message(BuilderFailed("x"))), BuilderFailed)


def test_the_command_line_prints_them_and_exits_with_5(tmp_path: Path, corpus: Path) -> None:
    youju = Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(corpus), "YOUJU_SUPPORT": "0"})
    assert youju("reindex").code == 0
    (corpus / "tea.md").unlink()

    told = youju("reindex", "--json")
    shown = youju("reindex")
    forced = youju("reindex", "--force", "--json")

    assert (told.code, shown.code, forced.code) == (5, 5, 0)
    form = json.loads(told.out)
    assert form["asked"] == 3
    assert [w["id"] for w in form["worse"]] == ["t"]
    assert "綠茶要用幾度的水沖泡？" in shown.out
    assert shown.err.count("--force") == 1
    assert set(json.loads(forced.out)) == {
        *("generation", "articles", "passages", "embedded", "seconds")
    }
