"""Questions for a definition, and the sentences that give one."""

import re

from rag.cues import asks
from rag.tokens import subject

_RUN = re.compile(r"[a-z0-9][a-z0-9 -]*[a-z0-9]|[^\W_]+")
_MARK = r"[\"'》)]?"
_GLOSS = r"\s*\([^()]*\)"
# What stands between a subject and what it is said to be; not "是", which says anything.
_SAYS = (
    rf"(?:{_GLOSS}|[^。;!?\n]{{0,6}}?)"
    r"(?:指的?是|是指|就是|则是|是一|即|的?意思|的?定义|意味|叫做|称为|refers? to|means)"
)
_WHO = re.compile(
    r"^\W*(?:请问)?\s*(?:who(?:'s| is| was| are| were)\s+(?P<en>[^\W_][^,?!。]{0,40})"
    r"|(?:谁是|哪位是)\s*(?P<after>[^\W_][^,?!。]{0,20})"
    r"|(?P<before>[^\W_][^,?!。]{0,20}?)\s*(?:到底|究竟)?(?:是|系)(?:谁|什么人|何人|何许人也?|哪位)(?:[啊呀呢]|来着)*)"
    r"\W*$"
)
# Whoever describes a person rather than naming one, "the host", or only points at one.
_DESCRIBED = re.compile(
    r"\b(?:the|a|an|this|that|his|her|its|their|of|by|in|i|you|he|she|it|they|we)\b"
    r"|的|[这那其第你您我他她它]|作者|主持"
)
# What introductions go on with, right after the name.
_INTRODUCED = (
    rf"(?:{_GLOSS})?[,，]?\s*[他她]?(?:[当现]时|如今|现在?|目前|从小|本来|同时|曾经?|先后)*"
    r"(?:是|为|任|担任|当过?|在[^。;,，]{1,20}(?:长大|出生|任教|当|工作)|出生|生于|来自|毕业|有[两三几]"
    r"|(?:is|was) )"
)


def definition_of(folded_question: str) -> re.Pattern[str] | None:
    """What a sentence must match to define the subject; None when no definition is asked for."""
    name = _person(folded_question)
    if name is not None:
        return re.compile(rf"(?<![^\W_]){re.escape(name)}{_MARK}{_INTRODUCED}")
    runs = _RUN.findall(subject(folded_question))
    if not runs or "define" not in asks(folded_question):
        return None
    return re.compile(rf"(?<![^\W_]){re.escape(max(runs, key=len))}{_MARK}{_SAYS}")


def _person(folded_question: str) -> str | None:
    """The name of whom a question asks who they are; None when it does not."""
    asked = _WHO.match(folded_question)
    name = next(filter(None, asked.groups()), "").strip() if asked else ""
    return None if not name or _DESCRIBED.search(name) else name
