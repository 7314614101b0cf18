"""Prompts become messages: what people and articles wrote stands between marks made for this call.

The marks are random, so that nothing in an article can close them.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from prompts import Purpose, load
from rag.index_text import heading_of
from rag.result import Hit, Variant

_PASSAGE = "<<<段落 [{n}] {marker}\n《{title}》{heading}\n{text}\n{marker}>>>"


def answer_messages(question: str, hits: Sequence[Hit], script: Variant) -> list[Any]:
    """Ask for an answer from passages, numbered from 1 as the hits stand."""
    marker = _marker()
    passages = "\n\n".join(
        _PASSAGE.format(
            n=n,
            marker=marker,
            title=hit.article.title,
            heading=" " + heading_of(hit.article, hit.passage),
            text=hit.passage.text,
        )
        for n, hit in enumerate(hits, 1)
    )
    return _messages("answer", script, marker=marker, passages=passages, question=question)


def condense_messages(question: str, history: Sequence[str], script: Variant) -> list[Any]:
    """Ask for a question that can be understood without the earlier ones."""
    earlier = "\n".join(history)
    return _messages("condense", script, marker=_marker(), history=earlier, question=question)


def rewrite_messages(question: str, count: int, script: Variant) -> list[Any]:
    """Ask for other wordings of a question."""
    return _messages("rewrite", script, marker=_marker(), count=str(count), question=question)


def questions_messages(title: str, passage: str, count: int, script: Variant) -> list[Any]:
    """Ask for questions that a passage answers."""
    return _messages(
        "questions", script, marker=_marker(), count=str(count), title=title, passage=passage
    )


def _messages(purpose: Purpose, script: Variant, **values: str) -> list[Any]:
    from llama_index.core.llms import ChatMessage, MessageRole
    from llama_index.core.prompts import ChatPromptTemplate

    system, user = load(purpose, script)
    template = ChatPromptTemplate(
        [
            ChatMessage(role=MessageRole.SYSTEM, content=system),
            ChatMessage(role=MessageRole.USER, content=user),
        ]
    )
    messages: list[Any] = template.format_messages(**values)
    return messages


def _marker() -> str:
    return secrets.token_hex(5)
