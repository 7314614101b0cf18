"""Sentences as they are quoted.

Readers read the clauses that a semicolon parts one by one: what answers is told more closely. A
quotation takes the whole sentence, and does not begin with a "he" or "this" whose meaning stands
one sentence earlier.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.fold import fold
from rag.read import Sentence

_LONGEST = 160  # characters of a sentence put together; a longer one is a list in one line
_LONGEST_BEFORE = 120  # characters that are quoted for the sake of the sentence after them
# Of folded text. 其他, 其次 and 其实 point at nothing that was said.
_LEANS = re.compile(
    r"\W*(?:但是?|而且?|然而|因此|所以|并且?|此外|另外|于是|同时|不过|后来|最后|之后|此后|随后|由于|因为|虽然|随着)?"
    r"[,，]?\s*(?:[她它]|他(?![人国方乡])|其(?![他它次余实])|该|此(?![外后前时次])|这|那(?!么)|双方|[两二]者|[前后]者"
    r"|[同次翌隔当]年|同月|[同当]日|当天"
    r"|(?:but |and |so |however, |thus |then )?"
    r"(?:he|she|it|they|his|her|its|their|this|that|these|those|such)\b)"
)


def whole(parts: Sequence[Sentence]) -> list[Sentence]:
    """Sentences of what was ranked, best first: what a semicolon parts is one again.

    A sentence is as likely an answer as its clauses together. Lines of metadata stay as they are.
    """
    places: dict[str, list[Sentence]] = {}
    for part in parts:
        places.setdefault(part.hit.passage.id, []).append(part)
    found = [sentence for here in places.values() for sentence in _joined(here)]
    return sorted(found, key=lambda sentence: -sentence.score)


def _joined(parts: Iterable[Sentence]) -> list[Sentence]:
    """Those of one passage, in their order."""
    found: list[Sentence] = []
    for part in sorted(parts, key=lambda part: part.start):
        if found and _go_on(found[-1], part):
            last = found[-1]
            found[-1] = replace(last, end=part.end, score=_either(last.score, part.score))
        else:
            found.append(part)
    return found


def _go_on(clause: Sentence, following: Sentence) -> bool:
    return (
        clause.hit.passage.kind == "body"
        and clause.text.endswith(("；", ";"))
        and not _parted(clause, following)
        and following.end - clause.start <= _LONGEST
    )


def self_contained(sentence: Sentence, others: Iterable[Sentence]) -> Sentence:
    """A sentence together with the one right before it, where it leans on that one."""
    if not _LEANS.match(fold(sentence.text)):
        return sentence
    before = [s for s in others if s.hit is sentence.hit and s.end <= sentence.start]
    last = max(before, key=lambda s: s.end, default=None)
    if last is None or len(last.text) > _LONGEST_BEFORE or _parted(last, sentence):
        return sentence
    return replace(sentence, start=last.start)


def _parted(sentence: Sentence, following: Sentence) -> bool:
    """Whether anything but blanks stands between them, or a line ends there."""
    between = sentence.hit.passage.text[sentence.end : following.start]
    return "\n" in between or bool(between.strip())


def _either(score: float, other: float) -> float:
    """The log-odds scale's sum: log(exp(score) + exp(other))."""
    most = max(score, other)
    return most + math.log1p(math.exp(min(score, other) - most))
