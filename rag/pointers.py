"""Sentences that hold no more than metadata or an address, and the questions that they answer."""

from rag.addresses import BARE_ADDRESS, without_paths
from rag.fold import fold
from rag.metadata_questions import (
    answers_metadata,
    asks_link_of_cited,
    metadata_asked,
    names_cited,
)
from rag.read import Sentence


def introduces(sentence: Sentence) -> bool:
    """Whether a sentence ends in a colon."""
    return sentence.text.rstrip().endswith(("：", ":"))


def points(sentence: Sentence) -> bool:
    """Whether a sentence is an address and no more, or the words that stand before one."""
    if BARE_ADDRESS.fullmatch(fold(sentence.text)):
        return True
    return introduces(sentence) and bool(
        BARE_ADDRESS.match(fold(sentence.hit.passage.text[sentence.end :]))
    )


def tells(sentence: Sentence, folded_question: str) -> bool:
    """Whether a line of metadata or an address holds what a question asks for.

    Metadata links to the article; what the article cites is linked to in its text, or in a line
    that names it.
    """
    asked, folded = metadata_asked(folded_question), fold(sentence.text)
    address = "url" in asked and points(sentence)
    if not (address or answers_metadata(asked, folded)):
        return False
    if sentence.hit.passage.kind == "body" or not asks_link_of_cited(folded_question):
        return True
    return names_cited(without_paths(folded))
