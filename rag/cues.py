"""What a question asks for and what a sentence offers: small patterns over folded text."""

import re
from collections.abc import Iterable

HOW_MANY = "几(?![何率乎])"  # 几何, 几率, 几乎 ask for no number
_ASKS = {
    "who": r"谁|哪位|哪个人|什么人|何人|叫什么名|名字|\bwho\b|\bwhom\b|\bwhose\b",
    "when": r"什么时候|何时|几时|哪年|哪一年|哪天|几月|啥时候|时间|年份|哪个年代|什么年|多久"
    r"|\bwhen\b|\b(?:what|which) (?:year|month|day|date)\b|how long",
    "where": r"哪里|哪儿|在哪|何处|什么地方|哪个国|哪个城|哪个省|哪国|位于|地点"
    r"|\bwhere\b|\b(?:what|which) (?:city|country|town|place)\b",
    "many": rf"多少|{HOW_MANY}|多大|多高|多长|多远|多重|比例|百分|数量"
    r"|\bhow (?:many|much|big|large|old|tall|far)\b"
    r"|\bwhat (?:number|amount|percent(?:age)?|proportion|share|fraction)\b",
    "why": r"为什么|为何|为啥|何以|原因|怎么会|干嘛|凭什么|缘故|图什么|\bwhy\b|reason",
    "how": r"怎么|如何|怎样|咋|办法|方法|步骤|\bhow\b",
    "define": r"是什么|什么是|啥意思|什么意思|指的是|定义|叫什么|叫啥|又称"
    r"|what (?:is|are|does)|\bmean",
    "list": r"哪些|有哪|哪几|列出|分别|几种|哪[两三俩]|包括什么|\blist\b|what are",
    "yesno": r"吗|是不是|有没有|能不能|会不会|可不可以|是否|对不对"
    r"|^(?:does|do|is|are|can|did|was|were|will|should)\b",
}
_OFFERS = {
    "number": r"[0-9]|[一二三四五六七八九十百千万亿两]+[个位次种年人名部家项条篇岁倍月日]|百分之",
    "date": r"[0-9]{2,4}年|[0-9]+月|世纪|年代|朝|公元|时期|[0-9]{4}",
    "place": r"省|市|县|州|国|区|岛|洲|镇|村|街|路|山|河|位于|地处|港",
    "reason": r"因为|由于|因此|所以|为了|以便|导致|原因|避免|才能|因而|使得|从而|以免"
    r"|because|since|due to|so that",
    "person": r"[一-鿿]{1,6}·[一-鿿]{1,6}|先生|教授|博士|研究员|作者|创办|[a-z]{2,} [a-z]{2,}",
    "definition": r"是指|指的是|称为|叫做|叫作|即|也就是|意思|又称|简称|是一[种个]|所谓"
    r"|refers to|means",
    "enumeration": r"、.*、|包括|分为|包含|分别|以及|如下",
    "means": r"通过|使用|利用|可以|需要|首先|然后|先|步骤|设置|选择|点击|应|必须",
    "negation": r"不|没|无|未|非|否|\bnot?\b",
}
# The pairs that earn a weight: what a question asks for, and what answers it.
PAIRS = (
    ("who", "person"),
    ("when", "date"),
    ("when", "number"),
    ("where", "place"),
    ("many", "number"),
    ("why", "reason"),
    ("how", "means"),
    ("define", "definition"),
    ("list", "enumeration"),
    ("yesno", "negation"),
)
_ASKS_PATTERNS = {name: re.compile(pattern) for name, pattern in _ASKS.items()}
_OFFERS_PATTERNS = {name: re.compile(pattern) for name, pattern in _OFFERS.items()}


def asks(folded_question: str) -> frozenset[str]:
    """The kinds of answer that a question asks for; empty when nothing tells."""
    return frozenset(n for n, pattern in _ASKS_PATTERNS.items() if pattern.search(folded_question))


def offers(folded_sentence: str) -> frozenset[str]:
    """The kinds of answer that a sentence could give."""
    return frozenset(
        n for n, pattern in _OFFERS_PATTERNS.items() if pattern.search(folded_sentence)
    )


# 多重人格, 多高兴 and their like count nothing.
_COUNTED = re.compile(
    rf"(?:(?<![哪好]){HOW_MANY}|多少)\s*([一-鿿])"
    r"|多(久|长时间|高(?!兴)|长(?!大)|远|深(?!入)|重(?![人性要]))"
)
_NO_UNITS = frozenset("几时钱公大个种样的是")  # stand after 几 and say nothing of what is counted
_TIME = "年月天日周时分秒"
_MEASURES = {
    "久": _TIME,
    "长时间": _TIME,
    "高": "米尺丈",
    "长": "米尺里丈寸年",
    "远": "米尺里年",
    "深": "米尺丈",
    "重": "克斤吨",
}
_NUMBER = "[0-9一二三四五六七八九十百千万亿两半数]"


def lacks_quantity(folded_question: str, folded_sentences: Iterable[str]) -> bool:
    """Whether so many of something are asked for and no sentence counts any of it."""
    asked = _COUNTED.search(folded_question)
    if asked is None or asked[1] in _NO_UNITS:
        return False
    counted = re.compile(f"{_NUMBER}[^。,;]{{0,2}}[{asked[1] or _MEASURES[asked[2]]}]")
    return not any(counted.search(sentence) for sentence in folded_sentences)
