"""A question as typed becomes one that can be searched: checked, and completed by its history."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.addressed import addresses_the_bot
from rag.errors import EmptyQuestion, QuestionTooLong
from rag.fold import fold, has_words
from rag.metadata_questions import asks_only_metadata

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
HISTORY = 8  # earlier questions that a conversation keeps
_SUBJECTS = 2  # of them, the last that have a subject, that are searched with
# How much earlier questions count beside a question that leans on them, or does not seem to.
# Measured on questions of CMRC2018 and DRCD dev whose subject a pronoun replaced or nothing, after
# a question on the same subject, and on whole ones after another subject (docs/EVALUATION.md).
_LEANING, _STANDING = 0.4, 0.2
_ALL = 1.0  # of a question whose only subject is the article that was spoken of
# A question this clear about its own subject stands alone however short it is.
_NAMES_ITS_SUBJECT = re.compile(r"[a-z]{3,}[^a-z]*[一-鿿]")
_DEFINES = re.compile(r"^(?:请问)?(?:什么是|什么叫|何谓|啥是|what is|what's|define)")
# Questions that name no subject at all: "why?", "and what else?", "an example?". Folded.
_BARE = re.compile(
    r"(?:为什么|为何|为啥|怎么会|怎么说|怎么办|怎么做|怎样|怎么|如何|什么|意思|原因|理由|然后|还有|还|其他|其它|另外|别的|接着|接下来"
    r"|接|下去|继续|再|更多|多|详细|具体|仔细|清楚|举例|举|例子|例如|例|哪些|有|没有|说明|解释|讲讲|讲|说说|说|谈谈|来|来点|可以|能|请|你|我|给"
    r"|那么|那|这个|这|个|一点|一些|一下|点|些|了|的|是|吗|呢|呀|啊|吧|嘛|后来|后续|呗|所以|结果"
    r"|\b(?:so|and|then|why|how|what|more|else|another|tell|me|about|it|that|this|is|please|can|you"
    r"|an|any|examples?|go|on|continue|elaborate|explain|details?|come|for|instance)\b"
    r"|\W)++"
)
_LONGEST_BARE = 24
_MOST_MORE = 40  # each in other words is one more reading of the passages


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: a question, and what was asked before as far as it counts.

    `text` is what passages are read for. `earlier` is searched with it, `weight` times as heavy;
    empty for a question that nothing went before. `more` are the bare questions that followed, in
    order: each wants what the answers before it did not say.
    """

    text: str
    earlier: str = ""
    weight: float = 0.0
    more: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """All of it in one text, in the order in which it was asked."""
        return " ".join(filter(None, (self.earlier, self.text, *self.more)))


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
    if _LEANS.search(folded):
        return True
    return len(re.findall(r"\w", folded)) <= _SHORT and not (
        _NAMES_ITS_SUBJECT.search(folded) or _DEFINES.search(folded)
    )


def with_history(question: str, history: Sequence[str]) -> str:
    """One text of a question and, before it, the earlier ones that it leans on."""
    query = in_context(question, history)
    earlier = query.earlier if leans_on_history(query.text) else ""
    return replace(query, earlier=earlier).told


def in_context(question: str, history: Sequence[str]) -> Query:
    """What to search for when `history` was asked before, oldest first."""
    subjects = [at for at, earlier in enumerate(history) if not is_bare(earlier)]
    if not subjects:
        return Query(question)
    if is_bare(question):
        last = subjects[-1]
        repeated = in_context(history[last], history[:last])
        return replace(repeated, more=(*history[last + 1 :], question)[-_MOST_MORE:])
    if not (weight := _weight(question)):
        return Query(question)
    return Query(question, " ".join(history[at] for at in subjects[-_SUBJECTS:]), weight)


def _weight(question: str) -> float:
    """How much what was asked before counts beside a question that is not bare."""
    folded = fold(question)
    if asks_only_metadata(folded):
        return _ALL
    if leans_on_history(question):
        return _LEANING
    return 0.0 if _DEFINES.search(folded) else _STANDING


def is_bare(question: str) -> bool:
    """Whether a question names no subject of its own."""
    folded = fold(question)
    if len(folded) > _LONGEST_BARE or addresses_the_bot(folded):
        return False
    return bool(_BARE.fullmatch(folded))


def _without_noise(text: str) -> str:
    return " ".join(_MENTION.sub(" ", _CONTROL.sub(" ", text)).split())
