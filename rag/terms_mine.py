"""Rows for a `terms.csv`, found in the articles: glosses in brackets and words said to be another.

    對齊偽裝（alignment faking）    所謂裝笨，也就是 sandbagging    歐盟人工智慧法（簡稱 AI Act）

Where the word begins that a gloss belongs to, nothing marks. It is what stands in quotation marks;
else a word that the bridge knows, a stretch that the articles repeat, or what follows the last
function word, whichever is nearest to the length that its gloss lets expect.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from corpus.article import Article
from rag.fold import fold
from rag.terms import HAS_HAN, Terms, normalise
from rag.tokens import HAN

_LATIN = r"[A-Za-z][A-Za-z0-9+.&'’/ -]*[A-Za-z0-9+]"
_WORD = rf"(?:[{HAN}]+|{_LATIN})"
_OPEN, _CLOSE = "「『“\"《〈'‘", "」』”\"》〉'’"
_BRACKET = re.compile(r"[（(]\s*([^（）()\n]{2,60}?)\s*[）)]")
_SPLIT = re.compile(r"[,，;；]|\s(?:or|aka)\s")
_CALL = re.compile(r"[A-Za-z]\($")  # a function's bracket
_LISTS = re.compile(r"[、/／|<>&={}$_*`]|等$|[A-Za-z]\d|\s-\s|[a-z]\.[a-z]|\[|的|^.-.$|^[A-Z]+ /")
# What introduces another word, inside a bracket or after a comma.
_SAID = (
    "(?:又|也|亦|或|還|还)?(?:稱|称|叫|名|譯|译)(?:作|為|为|做)?"
    "|(?:簡|简|全|俗|別|别|英文|中文)(?:稱|称|名|叫|是)|英文|原文|(?:也)?就是|即"
)
_INTRODUCED = re.compile(rf"^(?:{_SAID})(?:是)?[:：\s]*")
_ALIAS = re.compile(
    rf"(?P<word>{_WORD}|[{_OPEN}][^{_OPEN}{_CLOSE}\n]{{2,16}}[{_CLOSE}])[，,]?\s?"
    rf"(?:又稱|又称|也稱|也称|亦稱|亦称|簡稱|简称|俗稱|俗称|全稱|全称|也叫|又叫|又名|也就是)(?:是|為|为|作|做)?\s?"
    rf"(?P<other>{_LATIN}|[{_OPEN}][^{_OPEN}{_CLOSE}\n]{{2,24}}[{_CLOSE}]|[{HAN}]{{2,8}}(?=[，。；、）)]))"
)
# What ends before a term begins: a count, a preposition or verb, a function word. Folded.
_ENDS = re.compile(
    "[一二三四五六七八九十两几这那每某][个场次条类项套步层段篇部家份轮种位名]"
    "|关于|对于|根据|通过|使用|负责|包含|采用|提供|包括|出现|进行|例如|比如|基于|以及|所谓|称为|叫做|具有|引入|支持|按照|默认|不同|相同"
    "|[的了是则在和与及或用把被为等从到以这那其也很让使即但做跟给着之个]"
)
_PREPOSITION = frozenset("对用把被从让使给跟向比有")
_LONGEST, _SHORTEST = 8, 2
_CHINESE_NAME = re.compile(rf"[{HAN}]+[．·‧・•]([{HAN}]+)$")
_LATIN_NAME = re.compile(r"(?:^|\s|[^A-Za-z\s])[A-Z][a-z]+(?:\s[A-Z]\.)?\s([A-Z][a-z]+)$")
_LIST_MARKS = re.compile(r"^\W*\d|https?|www\.|^\d|\d{4}|[。！？!?…：:]")
# A bracket that points, dates or advises instead of naming.
_ASIDE = re.compile(
    "^(?:如|見|见|例|注|附|图|圖|参|參|右|左|上图|下图|以前|约|約)|年|月"
    "|推荐|推薦|可选|必填|默认|计划|增加|对应|[前后後]$"
)
_NAME = re.compile(r"^(?:[A-Z][a-z'’-]+\s){1,3}[A-Z][A-Za-z'’-]+$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row ready to paste, and the sentence it comes from. `known` are forms that the bridge has
    together already; a candidate whose forms all are is none."""

    row: tuple[str, ...]
    sentence: str
    path: str

    def form(self) -> dict[str, Any]:
        return asdict(self)


def mine(articles: Iterable[Article], terms: Terms) -> list[Candidate]:
    """Candidates, those first that most places speak for."""
    found: list[tuple[str, str, str, str]] = []
    articles = list(articles)
    repeated = _Repeated(article.text for article in articles)
    for article in articles:
        for sentence in _sentences(article.text[article.body_start :]):
            for word, other in _pairs(sentence, repeated, terms):
                found.append((word, other, sentence, article.path))
    return _joined(found, terms)


def _pairs(sentence: str, repeated: "_Repeated", terms: Terms) -> Iterator[tuple[str, str]]:
    for match in _BRACKET.finditer(sentence):
        inside, before = match.group(1), sentence[: match.start()].rstrip()
        if _CALL.search(sentence[: match.start() + 1]):
            continue
        yield from _names(before, inside)
        for part in _parts(inside):
            said = _INTRODUCED.sub("", part.strip())
            other = _cleaned(said)
            word = _word_before(before, other, repeated, terms)
            # Chinese after Chinese explains more often than it names.
            explains = said == part.strip() and HAS_HAN.search(word) and HAS_HAN.search(other)
            if word and other and not explains and _alike_enough(word, other):
                yield word, other
    for match in _ALIAS.finditer(sentence):
        word = _word_before(match["word"], match["other"], repeated, terms)
        other = _cleaned(match["other"])
        explains = "就是" in match.group() and HAS_HAN.search(word) and HAS_HAN.search(other)
        if word and other and not explains and _alike_enough(word, other):
            yield word, other


def _parts(inside: str) -> list[str]:
    """The glosses in a bracket; none when it lists members, conditions or code."""
    if _LISTS.search(inside):
        return []
    parts = [part.strip() for part in _SPLIT.split(inside) if part.strip()]
    if len(parts) == 2 and not any(map(HAS_HAN.search, parts)):
        one, other = parts
        return parts if _is_short_for(one, other) or _is_short_for(other, one) else []
    return parts if len(parts) <= 2 else []


def _names(before: str, inside: str) -> Iterator[tuple[str, str]]:
    """A person in both writings: the family names, for a mark inside a form is never found."""
    for one, other in ((before, inside), (inside, before)):
        chinese, latin = _CHINESE_NAME.search(one), _LATIN_NAME.search(other)
        if chinese and latin and (one == before or chinese.group() == one):
            yield chinese.group(1), latin.group(1)


def _cleaned(part: str) -> str:
    """A form without its marks; empty when it is an aside and no other word."""
    form = part.strip().strip(_OPEN + _CLOSE).strip()
    if not normalise(form) or _LIST_MARKS.search(form) or len(form) > 40:
        return ""
    if HAS_HAN.search(form) and (len(form) > _LONGEST or _ASIDE.search(form)):
        return ""
    return form


def _alike_enough(word: str, other: str) -> bool:
    """Whether two forms can be names of one thing: not the same, not a person and their name."""
    if normalise(word) == normalise(other):
        return False
    both_latin = not HAS_HAN.search(word) and not HAS_HAN.search(other)
    if both_latin:
        return _is_short_for(word, other) or _is_short_for(other, word)
    return not (_NAME.match(word) or _NAME.match(other))


def _is_short_for(short: str, long: str) -> bool:
    initials = "".join(part[0] for part in re.split(r"[\s-]+", long) if part).lower()
    letters = re.sub(r"[^a-z0-9]", "", short.lower())
    return 2 <= len(letters) < len(long) and initials.startswith(letters.rstrip("s"))


def _word_before(before: str, other: str, repeated: "_Repeated", terms: Terms) -> str:
    """The word that ends a text, by the marks around it or by what is known of it."""
    if before and before[-1] in _CLOSE:
        quoted = re.search(rf"[{_OPEN}]([^{_OPEN}{_CLOSE}]{{2,16}})[{_CLOSE}]$", before)
        return quoted.group(1).strip() if quoted else ""
    latin = re.search(rf"(?:^|[^A-Za-z])({_LATIN})$", before)
    if latin:
        return latin.group(1) if HAS_HAN.search(other) or len(latin.group(1)) < 40 else ""
    run = re.search(rf"[{HAN}]+$", before)
    return _ending(run.group(), _expected(other), repeated, terms) if run and other else ""


def _expected(gloss: str) -> float:
    """How many Chinese characters a gloss lets expect; two an English word, more a short form."""
    if HAS_HAN.search(gloss):
        return float(len(gloss))
    if gloss.isupper() or len(gloss) <= 3:
        return 2.0 * len(re.sub(r"[^A-Za-z]", "", gloss))
    return max(3.0, 2.2 * len(re.split(r"[\s-]+", gloss)))


def _ending(run: str, expected: float, repeated: "_Repeated", terms: Terms) -> str:
    """The term that ends a run of Chinese; empty when none of 2 to 8 characters offers itself."""
    folded = fold(run)
    ends = (match.end() for match in _ENDS.finditer(folded) if len(run) - match.end() >= _SHORTEST)
    begin = max(ends, default=0)
    begin += not begin and folded[0] in _PREPOSITION and len(run) > _SHORTEST
    whole, longest = len(run) - begin, min(_LONGEST, len(run))
    known = {n for n in range(_SHORTEST, longest + 1) if folded[-n:] in terms.groups}
    often = {n for n in range(3, min(whole, longest)) if repeated.whole(folded[-n:])}
    sizes = known | often | ({whole} if _SHORTEST <= whole <= longest else set())
    # A word that is known, or set off by itself, may be a little further from what is expected.
    firm = {n: 1.2 * (n in known or n == whole) for n in sizes}
    size = min(sizes, key=lambda n: (abs(n - expected) - firm[n], -n), default=0)
    return run[-size:] if size else ""


class _Repeated:
    """Which stretches of Chinese stand in the articles time and again, in other company."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._folded = "\n".join(fold(text) for text in texts)

    def whole(self, stretch: str) -> bool:
        before = {match.group() for match in re.finditer(f".(?={stretch})", self._folded)}
        return len(before) > 1


def _joined(found: Sequence[tuple[str, str, str, str]], terms: Terms) -> list[Candidate]:
    """Pairs that share a word make one row, across articles and scripts."""
    rows: list[dict[str, str]] = []
    places: list[tuple[str, str]] = []
    votes: defaultdict[int, int] = defaultdict(int)
    for word, other, sentence, path in found:
        keys = {normalise(word): word, normalise(other): other}
        mates = (n for n, row in enumerate(rows) if _one(row, keys, places[n], sentence))
        at = next(mates, len(rows))
        if at == len(rows):
            rows.append({})
            places.append((sentence, path))
        rows[at] = keys | rows[at]
        votes[at] += 1
    order = sorted(range(len(rows)), key=lambda n: (-votes[n], n))
    news = (n for n in order if not _known(list(rows[n]), terms))
    return [Candidate(tuple(rows[n].values()), *places[n]) for n in news]


def _one(row: dict[str, str], keys: dict[str, str], place: tuple[str, str], sentence: str) -> bool:
    """Whether a pair belongs to a row: they share an English word, or a word of one sentence.

    A Chinese word alone is no bond: what is cut off too short (模型, 状态) would join everything.
    """
    shared = row.keys() & keys.keys()
    return bool(shared) and (place[0] == sentence or not all(map(HAS_HAN.search, shared)))


def _known(keys: Sequence[str], terms: Terms) -> bool:
    groups = [set(terms.groups.get(key, ())) for key in keys]
    return bool(set.intersection(*groups))


def _sentences(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from (part.strip() for part in re.findall(r"[^。！？!?]+[。！？!?]?", line))
