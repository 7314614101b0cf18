"""Golden questions are written beside the articles: whole, once, or with a reason why not."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.canary import read_questions
from rag.errors import DuplicateGolden, NoPlaceForGolden
from rag.golden import add_golden, golden_files, golden_row
from rag.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "own" / "articles").mkdir(parents=True)
    return Settings(
        corpus_dir=tmp_path / "own" / "articles",
        data_dir=tmp_path / "data",
        _env_file=None,  # type: ignore[call-arg]
    )


def test_a_row_has_the_form_of_the_golden_questions_that_ship() -> None:
    shipped = json.loads(Path("corpus/golden.jsonl").read_text("utf-8").splitlines()[0])

    made = golden_row("f-1", "綠茶要幾度？", (), ["攝氏八十度"], "tea")
    refused = golden_row("f-2", "How old is he?", ["誰"], (), "tea")

    assert list(made) == list(shipped)
    assert (made["q_variant"], made["article"]) == ("hant", "tea")
    assert (refused["q_variant"], refused["article"], refused["history"]) == ("en", "none", ["誰"])


def test_rows_are_appended_to_what_is_there_even_without_a_last_line_end(
    settings: Settings,
) -> None:
    file = settings.corpus_dir / "golden.jsonl"
    file.write_text('{"id": "a", "question": "甲？"}\nnonsense', "utf-8")

    add_golden(settings, golden_row("b", "乙？", (), (), ""))

    assert [row["id"] for row in read_questions(settings.corpus_dir)] == ["a", "b"]
    assert "nonsense\n" in file.read_text("utf-8")
    assert [path.name for path in settings.corpus_dir.iterdir()] == ["golden.jsonl"]


@pytest.mark.parametrize("question", ["綠茶要幾度？", "绿茶要几度", " 綠茶,要幾度!"])
def test_a_question_that_is_there_in_any_script_and_file_is_not_taken_again(
    settings: Settings, question: str
) -> None:
    beside = settings.corpus_dir.parent / "golden.jsonl"
    beside.write_text('{"id": "g9", "question": "綠茶要幾度？", "history": []}\n', "utf-8")

    with pytest.raises(DuplicateGolden, match="g9"):
        add_golden(settings, golden_row("f", question, (), (), ""))

    assert golden_files(settings.corpus_dir) == [beside]
    add_golden(settings, golden_row("f", question, ["紅茶呢？"], (), ""))  # another conversation


def test_two_moderators_at_once_lose_nothing(settings: Settings) -> None:
    rows = [golden_row(f"f{n}", f"第{n}題？", (), (), "") for n in range(16)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda row: add_golden(settings, row), rows))

    assert {row["id"] for row in read_questions(settings.corpus_dir)} == {row["id"] for row in rows}


def test_a_place_that_cannot_be_written_is_named(settings: Settings) -> None:
    settings.corpus_dir.rmdir()
    settings.corpus_dir.write_text("a file, no folder")

    with pytest.raises(NoPlaceForGolden, match="articles"):
        add_golden(settings, golden_row("f", "綠茶？", (), (), ""))
