"""Questions that set two things against each other, and what is quoted of each."""

import re
from collections.abc import Iterable, Sequence

from corpus.split import sentences
from rag.definition import definition_of
from rag.fold import fold
from rag.read import Sentence
from rag.result import Hit
from rag.tokens import half_of

_LONGEST = 80  # characters of such a question
_DIFFERENCE = r"(?:不同|不一样|区别|差别|差异)"
_DIFFER = (
    rf"(?:(?:有|什么|啥|何|哪些)+{_DIFFERENCE}|{_DIFFERENCE}(?:之处|点|在哪里?|是什么|[呢吗啊])*\W*$"
    r"|差在|差多少|差很多|(?:哪里|哪儿)不|比较\W*$|比起来|对比|怎么选|哪[个家边种].{0,4}[更比](?!邻))"
)
_AND = (
    r"(?:跟|(?<!共)和(?![平谐服尚弓])|与|(?<!不)同(?!样)|(?<![a-z])(?:vs\.?|versus|and)(?![a-z]))"
)
_CHINESE = re.compile(
    rf"(?:请问|那么?|所以|\W)*(?P<x>[^,。;!?、]{{1,24}}?)\s*{_AND}"
    rf"\s*(?P<y>[^,。;!?、]{{1,24}}?)(?:之间|两者|[,的\s]|在|到底|究竟)*{_DIFFER}"
)
_ENGLISH = re.compile(
    r"(?:differences? between|compare|contrast) (?P<x>.{1,40}?)"
    r" (?:and|with|to|vs\.?) (?P<y>.{1,40})"
    r"|how (?:does|do|is|are) (?P<a>.{1,40}?) (?:differ(?:ent)?|differs) from (?P<b>.{1,40})"
    r"|^\W*(?P<c>.{1,40}?) (?:vs\.?|versus) (?P<d>[^,?]{1,40})"
)
# Words in letters or digits, and the pairs of characters.
_WORDS, _PAIRS = re.compile(r"[a-z0-9][a-z0-9.%-]*"), re.compile(r"(?=([一-鿿]{2}))")
_FEW = frozenset(("the", "a", "an", "of", "in", "is", "are", "and", "or", "to", "its"))


def compared(folded_question: str) -> tuple[str, str] | None:
    """The two things that a question sets against each other; None when it does not."""
    if len(folded_question) > _LONGEST:
        return None
    found = _CHINESE.match(folded_question) or _ENGLISH.search(folded_question)
    if found is None:
        return None
    x, y = (side.strip() for side in found.groups() if side)
    return (x, y) if _own(x, y) and _own(y, x) else None


def missing(
    quotes: Iterable[str], ranked: Sequence[Sentence], hits: Sequence[Hit], sides: tuple[str, str]
) -> list[Sentence]:
    """The best sentence for each side that no quotation names, a definition first.

    Readers leave out passages that seem not to answer; of a comparison they often hold a half.
    """
    told = {sentence.hit.passage.id for sentence in ranked}
    unread = [hit for hit in hits if hit.passage.kind == "body" and hit.passage.id not in told]
    worst = min((sentence.score for sentence in ranked), default=0.0)
    ranked = [*ranked, *(sentence for hit in unread for sentence in _sentences(hit, worst))]
    texts = [fold(quote) for quote in quotes]
    found = []
    for side, other in (sides, sides[::-1]):
        own, others = _own(side, other), _own(other, side)
        if any(half_of(own, text) for text in texts):
            continue
        said = [(s, fold(s.text)) for s in ranked]
        said = [(s, text) for s, text in said if half_of(own, text) and not half_of(others, text)]
        defines = definition_of(f"什么是{side}")
        defined = [s for s, text in said if defines and defines.search(text)]
        found += [*defined, *(s for s, _ in said)][:1]
    return found


def _sentences(hit: Hit, score: float) -> list[Sentence]:
    return [Sentence(hit, start, end, score) for start, end in sentences(hit.passage.text)]


def _own(side: str, other: str) -> frozenset[str]:
    """What tells one side from the other: its words in letters and its pairs of characters."""
    return _parts(side) - _parts(other)


def _parts(text: str) -> frozenset[str]:
    return frozenset({*_WORDS.findall(text), *_PAIRS.findall(text)} - _FEW)
