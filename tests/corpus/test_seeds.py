"""The articles as they occur in the wild, where a checkout has them beside it."""

import json
from pathlib import Path

import pytest

from corpus.article import Article
from corpus.read import read_folder
from corpus.split import sentences, split

_SHARED = Path(__file__).parents[2].parent / "shared"
_QUESTIONS = _SHARED / "eval" / "dev_questions.jsonl"

pytestmark = pytest.mark.skipif(
    not (_SHARED / "seeds").is_dir(), reason="the original articles are not part of the repository"
)


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    found, failed = read_folder(_SHARED / "seeds")
    assert failed == []
    return found


def test_both_forms_are_recognised(articles: list[Article]) -> None:
    assert [found.form for found in articles] == ["hugo", "wechat"]
    assert all(found.title and found.date and found.url for found in articles)


def test_no_marks_and_no_boilerplate_remain(articles: list[Article]) -> None:
    for found in articles:
        for mark in ("**", "mmbiz", "{{<", "![", "#####", "一键三连", "点这里", "日日相见", "— 完"):
            assert mark not in found.text, mark


def test_what_a_reader_may_ask_about_remains(articles: list[Article]) -> None:
    hugo, wechat = (found.text for found in articles)

    assert 'source_name: "The MAD Podcast with Matt Turck"' in hugo
    assert "发布地: 北京" in wechat
    assert "公众号 QbitAI" in wechat
    assert "Alignment-Faking-in-Large-Language-Models-full-paper.pdf" in wechat
    assert "[1]https://www.anthropic.com/research/alignment-faking" in wechat


def test_every_gold_quote_lies_in_one_passage(articles: list[Article]) -> None:
    if not _QUESTIONS.exists():
        pytest.skip("the questions are not part of the repository")
    passages = [passage for found in articles for passage in split(found)]
    rows = [json.loads(line) for line in _QUESTIONS.read_text("utf-8").splitlines()]
    quotes = {quote for row in rows for quote in row["gold_quotes"]}
    quotes |= {quote for row in rows for group in row.get("gold_groups", []) for quote in group}

    assert len(quotes) > 25
    for quote in quotes:
        assert any(quote in found.text for found in articles), quote
        assert any(quote in passage.text for passage in passages), quote


def test_passages_and_sentences_are_of_a_size_to_quote(articles: list[Article]) -> None:
    for found in articles:
        lengths = [end - start for start, end in sentences(found.text[found.body_start :])]
        assert max(lengths) <= 200
        assert all(len(p.text) >= 40 for p in split(found) if p.kind == "body")
