"""The numbers that a text says, whichever way they are written: 30%, ３０％, 百分之三十, 三成."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "两": 2, "俩": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_BIG = {"万": 10_000, "亿": 100_000_000}
_HAN = "零〇一二三四五六七八九两俩十百千万亿"
_NUMBER = re.compile(
    r"(?P<hundredths>百分之)?"
    rf"(?:(?P<arabic>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>k(?![a-z0-9])|[十百千]?[万亿]{{0,2}})"
    rf"|(?P<han>[{_HAN}]+(?:点[{_HAN}]+)?))"
    r"\s*(?P<percent>%|‰|成(?!为|立|功|员|本|年|长|果|就|熟|分|绩|千|百|语|都|人|品|交|效|型|因|份|群|行|败|名|吉|套|片|全|像|家|见|日|心))?"
)
# Numerals that count nothing. 一 alone is in half of all words; who changes it is caught elsewhere.
_NO_NUMBERS = re.compile(
    r"十分(?!之)|万一|四川|百度|三星|万事|千万(?=不|别|要)|两者|二者|两边|两难|两岸|第三方|三明治"
    r"|四周|四处|百姓|千方百计|五花八门|乱七八糟|三番两次|十足|百般|万能|八卦|四季|三角|六安|九江"
    r"|重庆|二胡|三国|百科|千古|万象|万物|万岁|亿万|成千上万|一五一十|七夕|九龙|八成(?=是)|一[万千百十](?!\w)"
)
_DATES = {"年": "年", "月": "月", "日": "日", "号": "日", "岁": "岁", "世": "世"}
_ENGLISH = {
    word: value
    for value, word in enumerate(
        word
        for words in ("zero one two three four five six", "seven eight nine ten eleven twelve")
        for word in words.split()
    )
} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "thousand": 1000}
_ENGLISH_WORD = re.compile(r"\b(?:" + "|".join(_ENGLISH) + r")\b")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a folded text, `[start, end)`; a percentage is a hundredth of what it says.

    `unit` is its part of a date, "*" for anything else that is counted, "" where nothing follows.
    """

    value: float
    start: int
    end: int
    unit: str = ""
    bare_one: bool = False

    def is_like(self, other: "Number") -> bool:
        """Whether it is the same number of the same kind of thing, as far as either says."""
        same_kind = self.unit == other.unit or not self.unit or not other.unit
        return self.value == other.value and same_kind


def numbers(folded: str) -> Iterator[Number]:
    """The numbers of a folded text, in order."""
    silent = [match.span() for match in _NO_NUMBERS.finditer(folded)]
    for match in _NUMBER.finditer(folded):
        if any(start <= match.start() and match.end() <= end for start, end in silent):
            continue
        value = _value(match)
        if value is not None:
            alone = match.group() in ("一", "零") and folded[: match.start()][-1:] != "第"
            unit = _unit_after(folded, match.end())
            yield Number(value, match.start(), match.end(), unit, alone)


def in_digits(folded: str) -> str:
    """The text with every number written the same way, so that its words can be compared."""
    parts, last = [], 0
    for number in numbers(folded):
        if not number.bare_one:
            parts += [folded[last : number.start], f"{number.value:g}"]
            last = number.end
    return "".join([*parts, folded[last:]])


def english_numbers(folded: str) -> Iterator[float]:
    """The numbers that English words say."""
    for match in _ENGLISH_WORD.finditer(folded):
        yield float(_ENGLISH[match.group()])


def _unit_after(folded: str, end: int) -> str:
    after = folded[end : end + 3].lstrip(" 多余几来")[:1]
    if after in _DATES:
        return _DATES[after]
    return "*" if "㐀" <= after <= "鿿" else ""


def _value(match: re.Match[str]) -> float | None:
    if match["arabic"]:
        value = float(match["arabic"].replace(",", "").rstrip(".") or 0) * _unit(match["unit"])
    else:
        value = _of_han(match["han"])
    if match["hundredths"] or match["percent"] == "%":
        return round(value / 100, 9)
    if match["percent"] == "‰":
        return round(value / 1000, 9)
    return round(value / 10, 9) if match["percent"] else round(value, 9)


def _unit(unit: str) -> float:
    if unit == "k":  # after digits only: GSM8K is a name
        return 1000.0
    product = 1.0
    for char in unit:
        product *= _TENS.get(char) or _BIG[char]
    return product


def _of_han(numeral: str) -> float:
    whole, _, fraction = numeral.partition("点")
    if not any(char in _TENS or char in _BIG for char in whole):  # 二〇二二
        value = float("".join(str(_DIGITS[char]) for char in whole))
    else:
        value = float(_counted(whole))
    if fraction:
        digits = "".join(str(_DIGITS.get(char, 0)) for char in fraction)
        value += int(digits) / 10 ** len(digits)
    return value


def _counted(numeral: str) -> int:
    """三千五百万 -> 35,000,000; 十万 -> 100,000."""
    total = section = digit = 0
    for char in numeral:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _TENS:
            section += (digit or 1) * _TENS[char]
            digit = 0
        elif char == "亿":
            total, section, digit = ((total + section + digit) or 1) * _BIG[char], 0, 0
        else:
            total, section, digit = total + ((section + digit) or 1) * _BIG[char], 0, 0
    return total + section + digit
