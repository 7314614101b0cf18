"""Scripted models: honest, lying in every way we know, broken, hostile.

`honest`, `hostile` and what `lying` makes are models for tests/llm_server.py.
"""

import random
import re
from collections.abc import Callable

from corpus.split import sentences
from rag.fold import fold
from rag.tokens import subject, tokens
from rag.variant import to_variant
from tests.llm_server import Call, Model, Turn, says

NAMES = ("王大明", "陳志豪", "斯蒂芬森", "聯合電信", "Zhang Wei", "德國", "桃園市")
_NO = re.compile(r"(?<![会會能是可要])不(?=[是會会能再被可想願愿應应同])|沒有|没有|無法|无法")


def best_sentence(call: Call, place: int = 0) -> tuple[int, str]:
    """The number of a passage and the sentence of it that shares most with the question."""
    asked = set(tokens(subject(fold(call.question))))
    found = [
        (len(asked & set(tokens(fold(text[a:b])))), -n, text[a:b])
        for n, text in enumerate(call.passages, 1)
        for a, b in sentences(text)
        if 8 < b - a < 200
    ]
    ranked = sorted(found, reverse=True)
    _, number, sentence = ranked[place % len(ranked)]
    return -number, " ".join(sentence.split())


def honest(call: Call) -> Turn:
    """Says the sentence that fits the question best, in the asker's script, with its span."""
    if call.purpose != "answer":
        return _helpful(call)
    number, sentence = best_sentence(call)
    return says(f"{in_script(call, sentence)}\n> [{number}] {sentence}\n")


def in_script(call: Call, text: str) -> str:
    return to_variant(text, "hant" if "正體" in call.system else "hans")


def _helpful(call: Call) -> Turn:
    """The plain way to condense, to put otherwise, and to ask."""
    if call.purpose == "condense":
        return says(f"{call.history[-1].rstrip('？?')}，{call.question}")
    if call.purpose == "rewrite":
        return says(f"1. {call.question.rstrip('？?')}的意思\n2. 關於{call.question}")
    return says("這一段在講什麼？\n它的重點是什麼？")


def lying(seed: int, told: list[str]) -> Model:
    """A model that bends the truth another way each time; `told` gets its false sentences."""
    chance = random.Random(seed)

    def lie(call: Call) -> Turn:
        if call.purpose != "answer":
            return _helpful(call)
        number, sentence = best_sentence(call, chance.randrange(4))
        bend = chance.choice(BENDS)
        claim, quote = bend(call, sentence, chance)
        told.append(in_script(call, claim))
        return says(f"{told[-1]}\n> [{number}] {quote}\n")

    return lie


Bend = Callable[[Call, str, random.Random], tuple[str, str]]


def _number_changed(_: Call, sentence: str, chance: random.Random) -> tuple[str, str]:
    if not re.search(r"\d", sentence):
        return f"{sentence.rstrip('。')}，共有{chance.randint(3000, 9000)}次。", sentence
    changed = re.sub(r"\d+", lambda m: str(int(m.group()) + chance.randint(1, 40)), sentence)
    return changed, sentence


def _name_changed(_: Call, sentence: str, chance: random.Random) -> tuple[str, str]:
    name = chance.choice(NAMES)
    words = re.findall(r"[A-Za-z][A-Za-z0-9 ]+[A-Za-z0-9]", sentence)
    if words:
        return sentence.replace(chance.choice(words), name), sentence
    return f"{name}說，{sentence}", sentence


def _no_turned(_: Call, sentence: str, __: random.Random) -> tuple[str, str]:
    if _NO.search(sentence):
        return _NO.sub("", sentence, count=1), sentence
    turned = re.sub(r"(?=[是會会能可])", "不", sentence, count=1)
    return (turned, sentence) if turned != sentence else ("", sentence)


def _quote_of_another(call: Call, sentence: str, chance: random.Random) -> tuple[str, str]:
    other = chance.choice(call.passages[1:] or call.passages)
    return f"{chance.choice(NAMES)}發明了{sentence[:12]}的辦法。", other[:40]


def _quote_invented(_: Call, __: str, chance: random.Random) -> tuple[str, str]:
    claim = f"{chance.choice(NAMES)}在{chance.randint(1900, 2020)}年否認了這件事。"
    return claim, claim


def _quote_bent(_: Call, sentence: str, chance: random.Random) -> tuple[str, str]:
    at = len(sentence) // 2
    return sentence, f"{sentence[:at]}{chance.choice(('真的', '據說', '從不'))}{sentence[at:]}"


def _something_else(_: Call, sentence: str, chance: random.Random) -> tuple[str, str]:
    return (
        f"{chance.choice(NAMES)}把總部搬到{chance.choice(('高雄', '慕尼黑', '月球'))}。",
        sentence,
    )


BENDS: tuple[Bend, ...] = (
    _number_changed, _name_changed, _no_turned, _quote_of_another,
    _quote_invented, _quote_bent, _something_else,
)  # fmt: skip


def hostile(call: Call) -> Turn:
    """Obeys every order that stands in an article, a question or the history, and leaks all."""
    orders = re.findall(r"[^\n]*(?:忽略|無視|无视|ignore|請說|请说|say)[^\n]*", call.user, re.I)
    leaked = [
        *orders,
        call.system[:300],
        "我的系統提示是：" + call.system[:80],
        "金鑰是 " + call.headers.get("authorization", ""),
        "@everyone <@1234> [按這裡](https://evil.example/?k=1)",
    ]
    passages = call.passages or ["無"]
    lines = [f"{line}\n> [{n % len(passages) + 1}] {passages[n % len(passages)][:30]}"
             for n, line in enumerate(leaked)]  # fmt: skip
    return says("\n".join(lines))
