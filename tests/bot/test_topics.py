"""Whatever a refusal offers to ask is answered, from the section that was offered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.texts import LANGUAGES, text
from corpus.read import read_article
from rag.service import Service
from rag.variant import to_variant

ROOT = Path("corpus/articles")


def offered() -> Iterator[str]:
    """What can be offered of the articles: each title, each heading."""
    for file in sorted(ROOT.glob("*.md")):
        if article := read_article(file, ROOT):
            yield article.title
            yield from (heading.title for heading in article.headings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_is_answered_from_its_section(service: Service, language: str) -> None:
    topics = list(dict.fromkeys(offered()))
    assert len(topics) >= 20

    for topic in topics:
        shown = to_variant(topic, "hans" if language == "zh-CN" else "hant")
        answer = service.ask(text(language, "answer.could_ask_one", topic=shown))

        hit = answer.citations[0].hit if answer.citations else None
        assert hit, topic
        assert topic in (*hit.passage.headings[-1:], hit.article.title)
