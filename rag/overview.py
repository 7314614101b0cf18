"""Questions for what the articles are about, or which there are: answered from how they begin."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from corpus.article import Article, Passage
from corpus.split import Span, sentences
from rag.content import ListedArticle
from rag.fold import fold
from rag.generation import Generation
from rag.result import Citation, Hit
from rag.tokens import half_of

MOST_TITLES, MOST_SUMMARIES = 5, 3  # articles
_ENOUGH = 60  # characters of a summary; a sentence that begins before them is quoted whole
_FIRST = 8  # passages of an article that are looked into
_LONGEST = 60  # characters of a question that can be one
_LONGEST_REST = 24  # characters that name an article
_SCORE = 1.0  # what such a passage is given: above what any question reaches by its words

_PIECE = (
    r"(?:文章|资料|文本|文件|全文|[报帖][导道子]|节目|访谈|[这那两本几哪][篇集]|内容"
    r"|(?<![a-z])(?:articles?|pieces?|posts?|documents?|episodes?)(?![a-z]))"
)
_SUMMARISE = (
    r"(?:总结|概括|概述|摘要|归纳|整理|介绍|重点|要点|大意|大纲|主旨|懒人包|导读|太长不看"
    r"|(?<![a-z])(?:tl;?dr|summar(?:y|ies|i[sz]e)|overview|gist"
    r"|(?:key|main) (?:points?|takeaways?|ideas?))(?![a-z]))"
)
_TELL = r"(?:主要|大概|大致|到底|都|是|分别)*在?(?:讲|说|谈|写|聊)(?:了|的是|的)?些?(?:什么|啥)"
_ABOUT = rf"{_PIECE}.{{0,4}}{_TELL}|{_PIECE}的?(?:是|有)?(?:什么|啥|哪些)$"
_WHAT_ABOUT = rf"what(?:'s| is| are| do(?:es)?) .{{0,40}}{_PIECE} (?:is |are )?(?:about|say)"
_WHICH = (
    rf"(?:有|收录了?|包含|读过|看过)(?:些)?(?:哪些|什么|啥|几篇|哪几篇|多少篇){_PIECE}?"
    rf"|{_PIECE}都?有(?:哪些|哪几篇|几篇|什么)|列出(?:所有|全部)?的?{_PIECE}"
    rf"|(?:what|which) {_PIECE}(?: are there| do you (?:have|know)| have you read)?"
    rf"|list (?:of )?(?:all )?(?:the )?{_PIECE}"
    r"|(?:可以|能)[向跟和]?(?:你|这里)?[问查]你?些?(?:什么|啥|哪些)"
    r"|你(?:可以|能够?|会)?(?:回答|知道|懂)(?:哪些|些?什么|啥)"
    r"|what (?:can|should|could) (?:i|we) ask(?: you)?"
    r"|what (?:questions |topics )?(?:can|do) you (?:answer|know|cover)"
)
# What else may stand in a question that names no article of its own.
_FILLING = (
    r"请问?|麻烦|帮忙?|给|[我你]们?|大家|可以|能|用|简单|简短|快速|[来列说讲写]|一下|一点|的|这[些边里]?|那些?|所有|全部|两|本|有"
    r"|问题|东西|事情?|[是都吗呢啊呀吧嘛了把]|[一二三四五几0-9]+[个点条句]话?|(?:什么|啥|哪些)"
    r"|(?<![a-z])(?:please|can|could|you|give|me|us|the|this|these|those|that|both|of|in|an?|one|two"
    r"|three|few|short(?:ly)?|brief(?:ly)?|quick(?:ly)?|sentences?|words?|all|for|about|say|is|are"
    r"|here|i|to|do|does|what|s|it)(?![a-z])"
)
_ASKING_PATTERN = re.compile(f"{_WHICH}|{_ABOUT}|{_WHAT_ABOUT}|{_SUMMARISE}")
_WHICH_PATTERN, _PIECE_PATTERN = re.compile(_WHICH), re.compile(_PIECE)
_NOTHING_ELSE = re.compile(rf"(?:{_WHICH}|{_ABOUT}|{_SUMMARISE}|{_PIECE}|{_FILLING}|\W)+")
# An article that is named: "summarise the one on lighthouses", "what is that report about".
_PIECES = rf"的?{_PIECE}(?:{_PIECE}|的)*"
_OF_ONE = re.compile(
    rf"(?:请|帮我?|给我?|可以|能|麻烦|你|用.{{1,6}}话|\W)*{_SUMMARISE}(?:一下)?(?P<before>.+?){_PIECES}\W*"
    rf"|(?:[讲谈说写]|关于)?(?P<behind>.+?){_PIECES}.{{0,4}}(?:{_TELL}|{_SUMMARISE})"
    rf"(?:是什么|有哪些|[吗呢啊呀])?\W*"
    rf"|(?:can you |could you |please |give me )*(?:an? )?{_SUMMARISE}(?: of)?"
    rf"(?P<named>.+?){_PIECE}\W*"
    rf"|what(?:'s| is| does) (?P<this>.+?){_PIECE} (?:about|say)\W*"
)
_DESCRIPTION = re.compile(
    r"^(?:description|summary|abstract|excerpt|摘要|[简簡]介|[导導][语語读讀]|描述)\s*[:：]\s*"
    r"([\"']?)(?P<value>\S.*?)\1\s*$",
    re.MULTILINE | re.IGNORECASE,
)

# Words in letters, and the pairs of characters.
_PARTS = re.compile(r"(?=([一-鿿]{2}))|([a-z0-9]+)")

Kind = Literal["titles", "summaries"]


@dataclass(frozen=True, slots=True)
class Overview:
    """What of the articles is wanted; of all, or of the one that comes first for the question.

    `named` is what the question, folded, calls that one by; empty where it was spoken of before.
    """

    kind: Kind
    of_one: bool = False
    named: str = ""


def overview_asked(folded_question: str, alone: bool) -> Overview | None:
    """The overview that a question asks for; None for questions on a subject.

    After other questions (not `alone`) "the main points?" asks for those of what was spoken of.
    """
    if len(folded_question) > _LONGEST or not _ASKING_PATTERN.search(folded_question):
        return None
    names_a_piece = bool(_PIECE_PATTERN.search(folded_question))
    kind: Kind = "titles" if _WHICH_PATTERN.search(folded_question) else "summaries"
    if _NOTHING_ELSE.fullmatch(folded_question):
        if alone:
            return Overview(kind)
        return Overview(kind, of_one=kind == "summaries") if names_a_piece else None
    one = _OF_ONE.fullmatch(folded_question)
    named = next(filter(None, one.groups()), "") if one else ""
    return Overview("summaries", True, named) if 0 < len(named) <= _LONGEST_REST else None


def beginnings(generation: Generation, wanted: Overview, hits: Sequence[Hit]) -> list[Hit]:
    """The passage of each article that an overview quotes; the newest article first.

    Empty where the article that was named has next to nothing of its name.
    """
    listed = generation.content.articles()
    if wanted.of_one:
        if not hits or not _is_named(hits[0].article, wanted.named):
            return []
        listed = [article for article in listed if article.id == hits[0].article.id]
    listed.sort(key=lambda article: article.date or "", reverse=True)
    most = MOST_TITLES if wanted.kind == "titles" else MOST_SUMMARIES
    found = (_beginning(generation, article, wanted.kind) for article in listed[:most])
    return [hit for hit in found if hit is not None]


def overview(wanted: Overview, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """What is quoted of the passages that `beginnings` found."""
    told = [_told(wanted.kind, h.article, h.passage) or _lead(h.passage.text) for h in hits]
    found = enumerate(zip(hits, told, strict=True), 1)
    return tuple(Citation.of(n, hit, start, end, hit.score) for n, (hit, (start, end)) in found)


def _is_named(article: Article, named: str) -> bool:
    """Whether half of what a name is made of stands in an article."""
    parts = ["".join(found) for found in _PARTS.findall(named)]
    return half_of(parts, fold(f"{article.title}\n{article.text}"))


def _beginning(generation: Generation, listed: ListedArticle, kind: Kind) -> Hit | None:
    article = generation.content.article(listed.id)
    passages = generation.content.passages(listed.rows[:_FIRST])
    told = (p for p in passages if _told(kind, article, p))
    body = (p for p in passages if p.kind == "body")
    passage = next(told, None) or next(body, None)
    return Hit(passage, article, _SCORE) if passage else None


def _told(kind: Kind, article: Article, passage: Passage) -> Span | None:
    """Where a passage of metadata has the title, or a description; None where it has none."""
    if passage.kind != "metadata":
        return None
    if kind == "titles":
        start = passage.text.find(article.title)
        return (start, start + len(article.title)) if article.title and start >= 0 else None
    line = _DESCRIPTION.search(passage.text)
    return line.span("value") if line else None


def _lead(text: str) -> Span:
    """The first sentences, as many as it takes to say something."""
    spans = list(sentences(text))
    long_enough = (end for _, end in spans if end >= _ENOUGH)
    return (spans[0][0] if spans else 0, next(long_enough, len(text)))
