"""Questions for no more than what stands under a heading, as a refusal offers them."""

import re
from functools import lru_cache

from corpus.article import Article, Passage
from rag.fold import fold

_MARKS = re.compile(r"[\W_]+")
_SHORTEST = 4  # letters; a shorter heading may be any word
# What such a question says before the heading and after it. Folded, without marks and blanks.
_BEFORE = re.compile(
    r"(?:请问?|关于|有关|对于?|说说|讲讲|谈谈|[说讲谈]一?下|介绍一?下?|总结一?下?|文章|里|的|这一?[节篇段章]"
    r"|what|do(?:es)?|the|th(?:is|ese)|articles?|sections?|says?|about|of|on|tellme)*"
)
_AFTER = re.compile(
    r"(?:[这那]|一?[节篇段章]|部分|的|内容|文章|文中|原文|里面?|是|都|在|到底|究竟|怎么[说讲谈写看]"
    r"|[说讲谈写提]了?些?|什么|啥|呢|吗|啊|呀)*"
)


def asks_for_section(folded_question: str, article: Article, passage: Passage) -> bool:
    """Whether a question is for what the section of a passage says, or its article, and no more."""
    asked = _letters(folded_question)
    return any(_only(_folded(name), asked) for name in (*passage.headings[-1:], article.title))


def _only(heading: str, asked: str) -> bool:
    if len(heading) < _SHORTEST or heading not in asked:
        return False
    before, after = asked.split(heading, 1)
    return bool(_BEFORE.fullmatch(before) and _AFTER.fullmatch(after))


@lru_cache(maxsize=2048)
def _folded(name: str) -> str:
    return _letters(fold(name))


def _letters(folded_text: str) -> str:
    return _MARKS.sub("", folded_text)
