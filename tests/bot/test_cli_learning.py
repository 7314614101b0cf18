"""`youju gaps`, `youju feedback`, `youju terms`: what a moderator does on the command line."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.gap_words import places_of
from bot.gaps import Gap, Near
from bot.memory import Memory
from bot.shown import Shown, Source
from rag.settings import DEFAULT_CORPUS
from tests.bot.gap_rows import asked, direction
from tests.bot.test_safety import HOSTILE
from tests.conftest import Youju

QUOTE = "Sandbagging 指的是 AI 受評估時刻意放水，把成績壓低。"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    (tmp_path / "data").mkdir()
    opened = Memory(tmp_path / "data", 90)
    yield opened
    opened.close()


@pytest.fixture
def youju(tmp_path: Path, memory: Memory) -> Youju:  # noqa: ARG001 - the file must be there
    """The command line over a folder of its own; nothing is indexed."""
    return Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(tmp_path / "articles")})


def judged(memory: Memory, question: str, helpful: bool, quote: str = "") -> str:
    """A judged answer; its id."""
    source = Source(1, "a", "題", "izmailov-three-labs.md", None, None, "", quote, 0, "", "", None,
                    quote=quote)  # fmt: skip
    answer = Shown(
        "answer", question, (), "hant", "zh-TW", "answered", {"hant": "答。", "hans": "答。"},
        (source,), (), "g",
    )  # fmt: skip
    ident = memory.keep(answer, "p", None, 1)
    memory.judge(ident, "q", helpful, None if helpful else "wrong: 不對")
    return ident


def test_gaps_are_listed_marked_and_exported(youju: Youju, memory: Memory, tmp_path: Path) -> None:
    for number, question in enumerate(("茶葉多久換一次？", "茶叶多久换一次？", "下雨怎麼辦？")):
        asked(memory, question, direction(number // 2), person=f"p{number}")

    told = json.loads(youju("gaps", "--json").out)
    marked = json.loads(youju("gaps", "answer", str(told["gaps"][0]["number"]), "--json").out)
    left = youju("gaps")
    export = youju("gaps", "--state", "all", "--export", str(tmp_path / "out" / "gaps.md"))

    assert [(gap["count"], gap["people"], gap["refused"]) for gap in told["gaps"]] == [
        (2, 2, 2), (1, 1, 1)
    ]  # fmt: skip
    assert told["gaps"][0]["wordings"] == ["茶葉多久換一次？"]
    assert marked["state"] == "answered"
    assert "下雨怎麼辦？" in left.out
    assert "茶叶" not in left.out
    assert export.code == 0
    written = (tmp_path / "out" / "gaps.md").read_text("utf-8")
    assert "- [x] **茶叶多久换一次？**" in written
    assert "- [ ] **下雨怎麼辦？**" in written


def test_a_number_that_is_not_there_is_named(youju: Youju) -> None:
    ran = youju("gaps", "ignore", "99")

    assert ran.code == 2
    assert "no question 99" in ran.err


def test_an_export_formats_nothing_that_people_wrote(
    youju: Youju, memory: Memory, tmp_path: Path
) -> None:
    for number, text in enumerate(HOSTILE.values()):
        asked(memory, text.format(user="<@1>", id="1", role="<@&1>", channel="<#1>"),
              direction(number, 16))  # fmt: skip

    ran = youju("gaps", "--export", str(tmp_path / "gaps.md"))

    written = (tmp_path / "gaps.md").read_text("utf-8")
    assert ran.code == 0
    assert "@everyone" not in written
    assert "](http" not in written
    assert "<@" not in written.replace("\\<@", "")
    assert len([line for line in written.splitlines() if line.startswith("- [")]) == len(HOSTILE)


def test_without_a_memory_there_is_nothing_and_nothing_is_made(tmp_path: Path) -> None:
    fresh = Youju(tmp_path / "data")

    assert json.loads(fresh("gaps", "--json").out)["gaps"] == []
    assert json.loads(fresh("feedback", "--json").out)["answers"] == []
    assert fresh("gaps", "answer", "1").code == 2
    assert not (tmp_path / "data" / "discord.sqlite").exists()


def test_a_damaged_memory_is_named(tmp_path: Path) -> None:
    (tmp_path / "discord.sqlite").write_bytes(b"no database at all" * 400)

    ran = Youju(tmp_path)("gaps")

    assert ran.code == 3
    assert "discord.sqlite is damaged" in ran.err
    assert "Traceback" not in ran.err


def test_feedback_becomes_a_golden_question_that_eval_asks(
    data_dir: Path, tmp_path: Path, memory: Memory
) -> None:
    corpus = tmp_path / "own" / "articles"
    shutil.copytree(DEFAULT_CORPUS, corpus)
    shutil.copytree(data_dir, tmp_path / "data", dirs_exist_ok=True)
    bench = Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(corpus)})
    good = judged(memory, "sandbagging 是什麼", True, QUOTE)
    bad = judged(memory, "明天會下雨嗎", False)

    told = json.loads(bench("feedback", "--json").out)
    made = json.loads(bench("feedback", "golden", good, "--json").out)
    again = bench("feedback", "golden", good)
    unsaid = bench("feedback", "golden", bad)
    refusal = bench("feedback", "golden", bad, "--none")
    scores = json.loads(bench("eval", str(corpus / "golden.jsonl"), "--json").out)

    assert {answer["id"]: answer["unhelpful"] for answer in told["answers"]} == {good: 0, bad: 1}
    assert made["golden"]["gold_quotes"] == [QUOTE]
    assert made["path"] == str(corpus / "golden.jsonl")
    assert (again.code, unsaid.code, refusal.code) == (2, 2, 0)
    assert "already" in again.err
    assert "--quote" in unsaid.err
    assert (scores["questions"], scores["hit@5"], scores["refused"]) == (2, 1.0, 1.0)


def test_the_command_line_keeps_questions_only_when_it_is_told_to(
    data_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(data_dir, tmp_path / "data")
    bench = Youju(tmp_path / "data")
    question = "推薦台中好吃的滷肉飯"

    bench("ask", question)
    silent = json.loads(bench("gaps", "--json").out)["gaps"]
    bench("ask", question, YOUJU_KEEP_QUESTIONS="true")
    kept = json.loads(bench("gaps", "--json").out)["gaps"]
    erased = json.loads(bench("gaps", "forget", "--json").out)

    assert silent == []
    assert [gap["question"] for gap in kept] == [question]
    assert len(kept[0]["nearest"]) == 3
    assert erased == {"erased": 1}
    assert json.loads(bench("gaps", "--json").out)["gaps"] == []


def test_terms_are_looked_up_checked_and_tried(data_dir: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "own" / "articles"
    shutil.copytree(DEFAULT_CORPUS, corpus)
    shutil.copytree(DEFAULT_CORPUS.parent, tmp_path / "own", dirs_exist_ok=True)
    shutil.copytree(data_dir, tmp_path / "data")
    bench = Youju(tmp_path / "data", {"YOUJU_CORPUS_DIR": str(corpus)})

    found = json.loads(bench("terms", "lookup", "強化學習", "--json").out)
    missing = bench("terms", "check")
    (corpus / "terms.csv").write_text("茶,紅茶\n", "utf-8")
    wrong = bench("terms", "check")
    (corpus / "terms.csv").write_text("伊茲邁洛夫,Izmailov\n", "utf-8")
    clean = json.loads(bench("terms", "check", "--json").out)
    mined = bench("terms", "mine")
    tried = json.loads(bench("terms", "try", "放水大賽,sandbagging", "--json").out)

    assert "强化学习" in found["groups"][0]["forms"]
    assert found["count"] >= len(found["passages"]) > 0
    assert missing.code == 2
    assert wrong.code == 3
    assert "terms.csv:1:" in wrong.out
    assert clean["findings"] == []
    assert "連貫性錯位,coherent misalignment" in mined.out.splitlines()
    assert tried["questions"] >= 30
    assert set(tried) == {"questions", "before", "after", "better", "worse"}


def test_nearest_passages_are_named_once_each() -> None:
    places = (("題", "甲"), ("題", "甲"), ("題", "乙"), ("他", ""))
    near = (Near(title, heading, "a.md", "") for title, heading in places)
    gap = Gap(1, "open", "問？", (), 1, 1, 1, 0, 0, 0.0, 0.0, tuple(near))

    assert places_of(gap) == ["題 › 甲", "乙", "他"]
