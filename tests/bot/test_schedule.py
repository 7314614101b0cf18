"""A running bot brings its index up to date by itself when it is told to."""

import asyncio
import logging
from pathlib import Path

import pytest

from bot.index_keeper import IndexKeeper
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.running import opened


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "tea.md").write_text("# 茶\n\n綠茶要用攝氏八十度的水沖泡。\n", "utf-8")
    return folder


async def test_articles_that_changed_are_taken_up_on_schedule(
    run: Run, tmp_path: Path, corpus: Path
) -> None:
    service = opened(tmp_path / "data", corpus_dir=corpus, support=0.0, reindex_every=0.2)
    service.reindex()
    (corpus / "tea.md").write_text("# 茶\n\n紅茶要用攝氏九十五度的水沖泡。\n", "utf-8")
    async with run(service):
        async with asyncio.timeout(120):
            while "紅茶" not in _served(service):  # noqa: ASYNC110 - another process builds
                await asyncio.sleep(0.1)
    service.close()


async def test_a_schedule_goes_on_after_a_failure_and_ends_when_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = IndexKeeper(None)  # type: ignore[arg-type]
    runs: list[int] = []

    async def failing() -> None:
        runs.append(len(runs))
        raise RuntimeError("no disk today")

    monkeypatch.setattr(keeper, "reindex", failing)
    monkeypatch.setattr(keeper, "look_again", lambda: None)
    with caplog.at_level(logging.WARNING):
        keeper.start(every=0.01)
        async with asyncio.timeout(30):
            while len(runs) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        keeper.end()
        await asyncio.sleep(0.05)
        seen = len(runs)
        await asyncio.sleep(0.1)

    assert "no disk today" in caplog.text
    assert len(runs) == seen


async def test_without_an_interval_nothing_is_scheduled(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = IndexKeeper(None)  # type: ignore[arg-type]
    monkeypatch.setattr(keeper, "look_again", lambda: None)

    keeper.start(every=0)

    assert keeper._schedule is None


def _served(service: Service) -> str:
    with service.store.lease() as generation:
        return "".join(passage.text for passage in generation.content.all_passages())
