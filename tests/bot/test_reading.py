"""What is read beside answers: passages in place, searches, the articles, the trace."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from bot.deep_link import deep_link, unique_anchor
from bot.reading import again, changed_since, sources_card
from bot.shown import Source
from rag.content import ListedArticle
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.running import QUESTION, opened
from tests.conftest import Youju
from tests.discord_server import Member

ARTICLE = """# 綠茶

綠茶要用攝氏八十度的水沖泡。水太燙會苦。

# 咖啡

咖啡豆產自衣索比亞，後來傳到葉門。
"""


async def test_a_passage_opens_in_its_place_with_the_quote_in_bold(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        passage = await alice.click(answer, "看段落", nth=0)

    quote = next(li for li in answer.text.split("\n") if li.startswith("> "))[2:]
    assert passage.ephemeral
    assert f"**{quote}**" in passage.text.replace("\n> ", "").replace("> ", "")
    assert "前文" in passage.text or "後文" in passage.text


async def test_a_changed_and_a_removed_article_are_noticed(
    run: Run, alice: Member, tmp_path: Path
) -> None:
    corpus = tmp_path / "articles"
    corpus.mkdir()
    (corpus / "tea.md").write_text(ARTICLE, "utf-8")
    (corpus / "other.md").write_text("# 別的\n\n別的文章談別的事情。\n", "utf-8")
    service = opened(tmp_path / "data", corpus_dir=corpus, support=0.0)
    service.reindex()
    async with run(service):
        answer = await alice.slash("ask", question="綠茶要用幾度的水沖泡？")
        same = await alice.click(answer, "看段落", nth=0)
        (corpus / "tea.md").write_text(ARTICLE.replace("八十", "九十"), "utf-8")
        service.reindex()
        changed = await alice.click(answer, "看段落", nth=0)
        (corpus / "tea.md").unlink()
        service.reindex()
        removed = await alice.click(answer, "看段落", nth=0)
    service.close()

    assert "⚠️" not in same.text
    assert "改過" in changed.text
    assert "八十" in changed.text
    assert "不在索引裡" in removed.text


def source(**given: object) -> Source:
    base = {
        "n": 1, "article_id": "a", "title": "t", "path": "p", "author": None, "date": None,
        "heading": "", "passage": "甲乙丙丁", "passage_start": 0, "before": "", "after": "",
        "link": None, "quote": "乙丙",
    }  # fmt: skip
    return Source(**base | given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "notice"),
    [
        ("戊甲乙丙丁", None),
        ("甲乙丙戊", "passage.changed"),
        ("甲丙乙丁", "passage.quote_changed"),
        (None, "passage.removed"),
    ],
)
def test_what_became_of_a_passage(now: str | None, notice: str | None) -> None:
    assert changed_since(source(), now) == notice


async def test_search_shows_passages_to_the_asker_alone(run: Run, alice: Member) -> None:
    async with run():
        found = await alice.slash("search", query="思維鏈", count=3)
        passage = await alice.click(found, "看段落", nth=2)

    assert found.ephemeral
    assert [b.label for b in found.buttons] == ["看段落"] * 3
    assert passage.ephemeral


async def test_sources_lists_every_article_with_its_link(
    run: Run, alice: Member, answering: Service
) -> None:
    async with run():
        listing = await alice.slash("sources")

    articles = answering.articles()
    assert listing.ephemeral
    assert f"（{len(articles)} 篇）" in listing.text
    assert [b.url for b in listing.buttons] == [a.url for a in articles if a.url]


def listed(number: int) -> ListedArticle:
    return ListedArticle(
        f"a{number}", f"a{number}.md", f"第{number}篇", f"https://example.org/{number}",
        None, None, "markdown", "", number, 1,
    )  # fmt: skip


async def test_a_long_list_of_articles_is_paged() -> None:
    articles = [listed(number) for number in range(20)]

    for page, shown in ((0, 8), (1, 8), (2, 4), (9, 4), (-1, 8)):
        payload = sources_card(articles, page, "zh-TW").to_components()
        (container,) = payload
        assert str(container).count("https://example.org/") == shown


async def test_the_pages_are_turned_in_place(run: Run, alice: Member, tmp_path: Path) -> None:
    corpus = tmp_path / "articles"
    corpus.mkdir()
    for number in range(10):
        (corpus / f"{number}.md").write_text(f"# 第{number}篇\n\n第{number}篇的內容。\n", "utf-8")
    service = opened(tmp_path / "data", corpus_dir=corpus)
    service.reindex()
    async with run(service):
        first = await alice.slash("sources")
        words = first.text
        second = await alice.click(first, "下一頁")
    service.close()

    assert second.id == first.id
    assert second.text != words
    assert len([li for li in second.text.split("\n") if li.startswith("**")]) == 2


async def test_why_traces_the_last_answer_and_the_command_line_says_the_same(
    run: Run, alice: Member, youju: Youju
) -> None:
    async with run():
        await alice.slash("ask", question=QUESTION)
        told = await alice.slash("why")

    assert told.ephemeral
    assert "莫斯科" in told.text or "Izmailov" in told.text
    line = next(li for li in told.text.split("\n") if li.startswith("youju why"))
    assert line == f"youju why -- '{QUESTION}'"
    assert youju("why", "--", QUESTION).code == 0


async def test_why_of_a_follow_up_has_its_history(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.slash("ask", question="Izmailov 是誰？")
        await alice.reply(answer, "他在哪裡長大？")
        told = await alice.slash("why")

    assert "youju why --history 'Izmailov 是誰？' -- '他在哪裡長大？'" in told.text


async def test_why_without_a_question_before_says_so(run: Run, alice: Member) -> None:
    async with run():
        told = await alice.slash("why")
        given = await alice.slash("why", question=QUESTION)

    assert "還沒有問過" in told.text
    assert QUESTION in given.text


def test_the_line_of_a_trace_is_quoted_for_a_shell(answering: Service) -> None:
    trace = answering.why("What's `rm -rf`; $HOME?")

    assert again(trace, ["a b"]) == ("youju why --history 'a b' -- 'What'\"'\"'s `rm -rf`; $HOME?'")


# links to the passage

TEXT = "甲地的水是甜的。甲地的水是鹹的，乙地的水是苦的。AI safety is hard - very, very hard."


@pytest.mark.parametrize(
    ("quote", "anchor"),
    [
        ("甲地的水是鹹的，", "甲地的水是鹹"),
        ("乙地的水是苦的。", "乙地的水是苦"),
        ("AI safety is hard", "AI safety"),
        ("沒有這一句話。", None),
    ],
)
def test_an_anchor_is_short_and_stands_once_in_the_text(quote: str, anchor: str | None) -> None:
    assert unique_anchor(quote, TEXT) == anchor


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("https://example.org/a", "https://example.org/a#:~:text="),
        ("https://example.org/a#part", "https://example.org/a#part:~:text="),
    ],
)
def test_a_link_leads_to_the_passage(url: str, start: str) -> None:
    link = deep_link(url, "乙地的水是苦的。", TEXT)

    assert link is not None
    assert link.startswith(start)
    assert unquote(link.split("text=")[1]) == "乙地的水是苦"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (f"https://example.org/{'a' * 480}", f"https://example.org/{'a' * 480}"),
        (f"https://example.org/{'a' * 600}", None),
        ("https://www.youtube.com/watch?v=1", "https://www.youtube.com/watch?v=1"),
        ("javascript:alert(1)", None),
        ("https://example.org/a b", None),
        (None, None),
    ],
    ids=["no room for the passage", "too long", "no text", "no web", "blank", "none"],
)
def test_what_has_no_passage_link(url: str | None, link: str | None) -> None:
    assert deep_link(url, "乙地的水是苦的。", TEXT) == link
