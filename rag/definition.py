"""Questions for a definition, and the sentences that give one."""

import re

from rag.cues import asks
from rag.tokens import subject

_RUN = re.compile(r"[a-z0-9][a-z0-9 -]*[a-z0-9]|[^\W_]+")
_MARK = r"[\"'》)]?"
# What stands between a subject and what it is said to be; not "是", which says anything.
_SAYS = (
    r"(?:\s*\([^()]*\)|[^。;!?\n]{0,6}?)"
    r"(?:指的?是|是指|就是|则是|是一|即|意思|的?定义|意味|叫做|称为|refers? to|means)"
)


def definition_of(folded_question: str) -> re.Pattern[str] | None:
    """What a sentence must match to define the subject; None when no definition is asked for."""
    runs = _RUN.findall(subject(folded_question))
    if not runs or "define" not in asks(folded_question):
        return None
    return re.compile(rf"(?<![^\W_]){re.escape(max(runs, key=len))}{_MARK}{_SAYS}")
