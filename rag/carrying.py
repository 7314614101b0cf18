"""Whether a source carries a sentence: its numbers, its names, its no, and its words.

What differs is told apart by weight. A number, a name or a no that the source does not say is a
falsehood; another word in the place of the source's word is a doubt, which a reader must see.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

from rag.names import looks_like_a_name
from rag.negation import clauses, contradicts
from rag.numbers import Number, english_numbers, in_digits, numbers
from rag.terms import Terms
from rag.tokens import stem

Verdict = Literal["carried", "doubtful", "number", "name", "negation", "words"]

# Words that hold a sentence together and say nothing of their own. None of them bounds, quantifies,
# obliges, denies or compares.
_GLUE = re.compile(
    "答案|的人是|的是|根据文章|根据报道|根据原文|文章指出|文章提到|文章认为|文章说|报道说|报道指出|作者认为|作者指出|也就是说|换句话说|换言之|具体来说|简单来说"
    "|总的来说|除此之外|除此以外|与此同时|在此期间|在这里|这意味着|意味着|的时候|的原因是|的目的是|之所以|是因为|是由于|是指|指的是|也就是"
    "|例如|比如|譬如|像是|诸如|包括|包含|其中|分别|以及|并且|而且|同时|此外|另外|因此|因而|所以|由于|因为|从而|于是|然后|接着|随后|之后"
    "|以后|之前|以前|当时|期间|目前|现在|如今|关于|对于|有关|针对|通过|透过|经由|借由|利用|使用|采用|根据|按照|依照|依据|作为|成为|变成"
    "|属于|称为|称作|叫做|叫作|名为|被称为|所谓|位于|位在|坐落|处于|存在|拥有|具有|具备|带有|进行|加以|予以|给予|得到|获得|取得|夺得"
    "|赢得|拿下|拿到|夺冠|造成|导致|引起|使得|让|令|使|表示|指出|提到|提及|认为|说明|说道|写道|介绍|描述|讲述|谈到|显示|表明|发现|得知"
    "|据说|据称|他们|她们|它们|我们|自己|本身|这个|这些|这种|这样|这项|这位|这篇|这次|那个|那些|那种|那样|该|此|其|它|他|她|者|方面|方式"
    "|方法|情况|情形|过程|结果|部分|内容|问题|事情|东西|人们|人士|可以|能够|能|会|将|要|会在|已经|已|曾经|曾|还|也|又|再|就|便|却|则|而"
    "|但是|但|不过|然而|虽然|尽管|如果|假如|若|当|在于|在|于|从|自|由|向|往|朝|对|给|跟|和|与|及|或者|或|以|把|将|被|受|为了|为|是|有"
    "|的|地|得|之|了|着|过|吗|呢|吧|啊|等等|等|所|们|个|种|项|位|名|次|条|件|一|上|下|里|中|内|外|时|后|前|间|来|去|起|出|到|至|并|即"
    "|主要|一起|一个|一种|一些|开始|这|那|哪|什么|作|做|用|因|如|像|您|你|我|称|叫|说|讲|指|位|举行|担任|出任|发表|发生|出现|问"
)
_HAN_RUN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+")
_LATIN = r"a-z\u00c0-\u024f"
_LATIN_WORD = re.compile(rf"[{_LATIN}]+")
_LATIN_OR_DIGITS = re.compile(rf"[{_LATIN}]+|[0-9]+")
_COMMON_LATIN = frozenset(
    word
    for words in ("a an the of in on at to for and or by with as it", "is are was were be")
    for word in words.split()
)
_CONTENT = re.compile(r"[^\W_]")
_LITTLE = 0.6  # share of a sentence's words that its source must hold
_VERY_LITTLE = 0.35
_CLAUSE_LITTLE = 0.4
_SHORT_CLAUSE = 4
_COPIED = 0.7  # share of a claim that is the source's own
_NUMBER = re.compile(r"[0-9]+")
_WORD = 12  # characters that a word may have, longer stretches were rather moved
# What may be put in or exchanged without a doubt.
_LIGHT = re.compile(
    rf"(?:{'|'.join(word for word in _GLUE.pattern.split('|') if len(word) > 1)}"
    "|[的了着过在也就则而与和及是为于以所这那将把被其该它他她们个之有座艘辆架栋颗匹幅届])+"
)
_PRONOUN = re.compile(r"(?:他|她|它|牠|其|该|此|这|那|们|个|位|者|些|本|为|是|的|，)+")
_ANCHOR = 2  # characters in a row that count as agreeing


@dataclass(frozen=True, slots=True)
class Source:
    """What a sentence is held against, all folded.

    `words` is what the reader is shown as the quote, `around` the sentences it stands in, `near`
    what names may come from (the passage so far), `heading` its titles, `asked` the question.
    """

    words: str
    around: str
    near: str
    heading: str
    asked: str
    terms: Terms

    def in_digits(self) -> "Source":
        """The same with every number written the same way."""
        return Source(
            words=in_digits(self.words),
            around=in_digits(self.around),
            near=in_digits(self.near),
            heading=in_digits(self.heading),
            asked=in_digits(self.asked),
            terms=self.terms,
        )


def carries(source: Source, claim: str) -> Verdict:
    """How a folded claim stands to its source; the gravest of what is wrong with it.

    What only the question says (its premise may be wrong) is no falsehood of the model's, but a
    reader must see that the quote does not say it either.
    """
    strange = _strange_numbers(source, claim)
    asked = list(numbers(source.asked))
    if any(not any(number.is_like(other) for other in asked) for number in strange):
        return "number"
    if contradicts(claim, source.around):
        return "negation"
    source, claim = source.in_digits(), in_digits(claim)
    told = f"{source.words}\n{source.around}\n{source.near}"
    names = _foreign_names(source, claim, told)
    if names and _foreign_names(source, claim, f"{told}\n{source.asked}"):
        return "name"
    held = _held(source, claim, f"{source.words}\n{source.around}\n{source.heading}")
    share = _share(source, claim, held)
    if share < _VERY_LITTLE:
        return "words"
    if strange or names or share < _LITTLE or not _is_literal(source, claim):
        return "doubtful"
    if _puts_other_words(source, claim) or _has_a_foreign_clause(claim, held):
        return "doubtful"
    return "carried"


def _strange_numbers(source: Source, claim: str) -> list[Number]:
    theirs = [*numbers(source.words), *numbers(source.heading)]
    spelt = set(english_numbers(source.words))
    return [
        number
        for number in numbers(claim)
        if not number.bare_one
        and number.value not in spelt
        and not any(number.is_like(other) for other in theirs)
        and not (number.end - number.start > 1 and _is_han_numeral(source, claim, number))
    ]


def _is_han_numeral(source: Source, claim: str, number: Number) -> bool:
    """Whether it is written in Han characters, and so in the source."""
    written = claim[number.start : number.end]
    return not any(char.isdigit() and char.isascii() for char in written) and (
        written in source.words
    )


def _foreign_names(source: Source, claim: str, told: str) -> bool:
    """Whether a text lacks a word of the claim that looks like a name."""
    held = _held(source, claim, told)
    return any(looks_like_a_name(words) for words in _foreign(claim, held)) or _has_foreign_latin(
        source, claim, told
    )


def _held(source: Source, claim: str, text: str, *, synonyms: bool = True) -> list[bool]:
    """Of each character, whether a text has it beside the same neighbour, or a synonym."""
    held = [False] * len(claim)
    for run in _HAN_RUN.finditer(claim):
        start, end = run.span()
        for at in range(start, end - 1):
            if claim[at : at + 2] in text:
                held[at] = held[at + 1] = True
        if end - start == 1 and claim[start] in text:
            held[start] = True
    for word in _LATIN_OR_DIGITS.finditer(claim):
        if _has_word(text, word.group()):
            held[word.start() : word.end()] = [True] * len(word.group())
    if synonyms:
        _hold_synonyms(source, claim, held)
    return held


def _hold_synonyms(source: Source, claim: str, held: list[bool]) -> None:
    groups = _groups(source.terms, f"{source.words}\n{source.around}")
    for form, ids in _forms(source.terms, claim):
        if not groups.isdisjoint(ids):
            at = claim.find(form)
            while at >= 0:
                held[at : at + len(form)] = [True] * len(form)
                at = claim.find(form, at + 1)


@lru_cache(maxsize=256)
def _forms(terms: Terms, folded: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple(terms.in_passage(folded))


@lru_cache(maxsize=256)
def _groups(terms: Terms, folded: str) -> frozenset[int]:
    return frozenset(group for _, ids in _forms(terms, folded) for group in ids)


def _foreign(claim: str, held: list[bool]) -> list[str]:
    """The stretches of Han characters that the source does not hold, without the glue."""
    found = []
    for run in _HAN_RUN.finditer(claim):
        start = run.start()
        marked = "".join(char if not held[start + i] else " " for i, char in enumerate(run.group()))
        for stretch in marked.split():
            found += [part for part in _GLUE.sub(" ", stretch).split() if len(part) > 1]
            if len(stretch) > 1:
                found.append(stretch)
    return found


def _has_foreign_latin(source: Source, claim: str, told: str) -> bool:
    known = _groups(source.terms, told)
    synonyms = {
        word
        for form, ids in _forms(source.terms, claim)
        if not known.isdisjoint(ids)
        for word in form.split()
    }
    return any(
        word not in _COMMON_LATIN and not _has_word(told, word) and stem(word) not in synonyms
        for word in _LATIN_WORD.findall(claim)
    )


def _has_word(text: str, word: str) -> bool:
    kind = "0-9" if word[0].isdigit() else _LATIN
    return re.search(rf"(?<![{kind}]){re.escape(word)}(?![{kind}])", text) is not None


def _share(source: Source, claim: str, held: list[bool]) -> float:
    """The share of what a claim tells that its source holds.

    What the question said is no news: an answer that repeats it stands and falls with the rest.
    """
    telling = _telling(claim)
    repeated = _held(source, claim, source.asked, synonyms=False)
    news = [at for at in telling if not repeated[at]] or telling
    return sum(held[at] for at in news) / len(news) if news else 0.0


def _is_literal(source: Source, claim: str) -> bool:
    """Whether anything of the news stands in the source itself, not only in other words."""
    telling = _telling(claim)
    repeated = _held(source, claim, source.asked, synonyms=False)
    literal = _held(source, claim, source.around, synonyms=False)
    news = [at for at in telling if not repeated[at]] or telling
    return any(literal[at] for at in news)


def _telling(claim: str) -> list[int]:
    glue = {at for match in _GLUE.finditer(claim) for at in range(*match.span())}
    return [at for at, char in enumerate(claim) if _CONTENT.match(char) and at not in glue]


def _has_a_foreign_clause(claim: str, held: list[bool]) -> bool:
    """Whether a clause was added that the source does not hold, however true the others are."""
    at = 0
    for clause in clauses(claim):
        at = claim.index(clause, at)
        telling = _telling(clause)
        if len(telling) >= _SHORT_CLAUSE:
            share = sum(held[at + i] for i in telling) / len(telling)
            if share < _CLAUSE_LITTLE:
                return True
        at += len(clause)
    return False


def _puts_other_words(source: Source, claim: str) -> bool:
    """Whether a word of the source was exchanged, or a strange one put in."""
    ours, theirs = _plain(claim), _plain(source.around)
    known = _plain("\n".join((source.around, source.near, source.asked)))
    hunks = list(_hunks(theirs, ours))
    changed = sum(hunk.put.stop - hunk.put.start for hunk in hunks)
    copied = len(ours) - changed >= _COPIED * len(ours)
    for hunk in hunks:
        put, taken = ours[hunk.put], theirs[hunk.taken]
        if copied and set(_NUMBER.findall(put)) - set(_NUMBER.findall(taken)):
            return True
        lost = bool(taken) and len(taken) <= _WORD and not _LIGHT.fullmatch(taken)
        light = _LIGHT.fullmatch(put) and not (lost and (copied or len(taken) == len(put) > 1))
        if lost and len(taken) == len(put) > 1 and _LIGHT.fullmatch(put):
            return True  # a word of the source made a word that says nothing
        if light or (taken and _are_synonyms(source.terms, ours, theirs, hunk)):
            continue
        if _is_strange(put, ours[max(0, hunk.put.start - 1) : hunk.put.stop + 1], known):
            return True
        exchanged = taken and not _PRONOUN.fullmatch(taken) and len(taken) <= _WORD
        if copied and exchanged and len(put) <= _WORD:
            return True
    return False


def _is_strange(put: str, between: str, known: str) -> bool:
    """Whether words that were put in stand nowhere near; `between` has a neighbour on each side."""
    parts = [part for part in _LIGHT.sub(" ", put).split() if part]
    return any(
        not all(part[at : at + 2] in known for at in range(max(1, len(part) - 1))) for part in parts
    ) and not all(between[at : at + 2] in known for at in range(len(between) - 1))


@dataclass(frozen=True, slots=True)
class _Hunk:
    """A stretch that differs between two that agree: what was taken out, what was put in."""

    taken: slice
    put: slice


def _hunks(theirs: str, ours: str) -> Iterator[_Hunk]:
    """What differs between stretches that agree in two characters or more; the ends agree too."""
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    anchors = [block for block in matcher.get_matching_blocks() if block.size >= _ANCHOR]
    if not anchors:
        return
    a = b = 0
    for first in (*anchors, None):
        end_a, end_b = (first.a, first.b) if first else (len(theirs), len(ours))
        if end_b > b:
            yield _Hunk(slice(a, end_a), slice(b, end_b))
        if first:
            a, b = first.a + first.size, first.b + first.size


def _are_synonyms(terms: Terms, ours: str, theirs: str, hunk: _Hunk) -> bool:
    """Whether both stretches, with as many neighbours each, are forms of one idea."""
    for left in range(3):
        for right in range(3):
            mine = ours[max(0, hunk.put.start - left) : hunk.put.stop + right]
            other = theirs[max(0, hunk.taken.start - left) : hunk.taken.stop + right]
            shared = set(terms.groups.get(mine, ())) & set(terms.groups.get(other, ()))
            if shared:
                return True
    return False


def _plain(folded: str) -> str:
    return "".join(char for char in folded if _CONTENT.match(char))
