"""Whether a sentence says yes where its source says no, or no where it says yes."""

import re

_CLAUSE = re.compile(r"[，,。；;：:！!？?、\n]+")
# 不同, 不断, 非常 and the like negate nothing; A不A asks.
_NO_NEGATION = re.compile(
    r"(\w)不\1|不同|不过|不仅|不但|不断|不少|不久|不只|不止|不妨|不禁|不愧|不论|不管|不得不|不由得|不由自主|不料|不惜|不满|不如|不外|不约而同"
    r"|差不多|了不起|对不起|说不定|非常|非凡|非洲|除非|并非不|无论|无数|无线|无人机|无比|无疑|无锡|莫非|无非|未来|未必不|未免|未婚"
    r"|特别|分别|区别|级别|性别|个别|别人|别的|别家|别处|别国|别种|别墅|类别|识别|鉴别|告别|辨别|差别|派别|国别|别名|别称|是否|否则|能否|可否|与否|否定|否认"
    r"|没收|没落|淹没|出没|埋没|吞没|沉没|覆没|不锈钢|不丹|不动产|南无|无花果|无名|无私|无形|莫名|莫大|莫斯科|约莫|没完没了|无害|无穷"
)
_NEGATION = re.compile(
    r"不|没有|没|未|无|非|毋|勿|莫|别|拒绝|禁止|避免|以免|缺乏"
    r"|\b(?:not|no|never|none|nothing|without|cannot|neither|nor)\b|n't\b"
)
_HAN_PAIR = re.compile(r"(?=([㐀-鿿]{2}))")
_SHARED = 0.5
_A_FEW = 3
_MOSTLY = 0.7


def clauses(folded: str) -> list[str]:
    return [clause for clause in _CLAUSE.split(folded) if clause.strip()]


def negations(folded: str) -> int:
    """How often a folded text says no."""
    return len(_NEGATION.findall(_NO_NEGATION.sub("口", folded)))


def contradicts(claim: str, source: str) -> bool:
    """Whether a clause of a claim is a clause of its source with the no put in or taken out.

    Both folded. A clause that resembles none of the source's says nothing here.
    """
    theirs = [(clause, _pairs(clause)) for clause in clauses(source)]
    return any(_is_turned(clause, theirs) for clause in clauses(claim))


def _is_turned(clause: str, source: list[tuple[str, frozenset[str]]]) -> bool:
    pairs = _pairs(clause)
    alike = [
        (len(pairs & theirs), words)
        for words, theirs in source
        if _resemble(len(pairs & theirs), len(pairs), len(theirs))
    ]
    if not alike:
        return False
    most = max(shared for shared, _ in alike)
    parities = {negations(words) % 2 for shared, words in alike if shared == most}
    if len(alike) > 1 and most < _MOSTLY * len(pairs):  # several clauses were put into one
        parities = {sum(negations(words) for _, words in alike) % 2}
    return negations(clause) % 2 not in parities


def _resemble(shared: int, ours: int, theirs: int) -> bool:
    return shared >= _SHARED * ours or (shared >= _A_FEW and shared >= _SHARED * theirs)


def _pairs(clause: str) -> frozenset[str]:
    bare = _NEGATION.sub("", clause)
    return frozenset(match.group(1) for match in _HAN_PAIR.finditer(bare)) or frozenset(
        re.findall(r"[a-z0-9]+", bare)
    )
