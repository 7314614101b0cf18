"""A question as typed becomes one that can be searched: checked, and completed by its history."""

import re
from collections.abc import Sequence

from rag.errors import EmptyQuestion, QuestionTooLong
from rag.fold import fold, has_words

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MENTION = re.compile(r"<(?:@[!&]?|#|a?:\w+:)\d+>")
# Words that lean on what was said before, folded. 其实, 其中 and 其他 do not.
_LEANS = re.compile(
    r"[那这](?:个|些|篇|种|样|位|次|项|件|时|里|家|边|是|为|么|又|他|她|它|呢|群|套|句|段)"
    r"|[它他她](?!们?国)|其(?![实中他它余次])|该|此(?!外)|上述|前者|后者|刚才|刚刚|上面|前面"
    r"|^(?:那|然后|还有|所以|为什么呢|怎么说|具体|举例|例如|再|继续)"
    r"|\b(?:it|its|that|those|these|this|they|them|their|he|his|him|she|her|there)\b"
    r"|^(?:and|why|how so|what about|how about|then)\b"
)
# A question this short ("比例呢？") hardly ever stands alone once something was asked before.
_SHORT = 6
_HISTORY_KEPT = 2


def clean_question(question: str, limit: int) -> str:
    """The question without control characters, mentions and superfluous blanks.

    Raises EmptyQuestion when no word is left, QuestionTooLong above `limit` characters.
    """
    text = _without_noise(question)
    if len(text) > limit:
        raise QuestionTooLong(len(text), limit)
    if not has_words(text):
        raise EmptyQuestion
    return text


def clean_history(history: Sequence[str], limit: int) -> list[str]:
    """Earlier questions as far as they can be searched with; what cannot is left out."""
    kept = []
    for earlier in history:
        text = _without_noise(earlier)[:limit]
        if has_words(text):
            kept.append(text)
    return kept


def leans_on_history(question: str) -> bool:
    """Whether a question needs what was asked before it to be understood."""
    folded = fold(question)
    return len(re.findall(r"\w", folded)) <= _SHORT or bool(_LEANS.search(folded))


def with_history(question: str, history: Sequence[str]) -> str:
    """The text to search for: the question, after the earlier ones that it leans on."""
    if not history or not leans_on_history(question):
        return question
    return " ".join([*history[-_HISTORY_KEPT:], question])


def _without_noise(text: str) -> str:
    return " ".join(_MENTION.sub(" ", _CONTROL.sub(" ", text)).split())
