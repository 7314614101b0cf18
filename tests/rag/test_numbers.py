"""Numbers are the same however they are written, and another number is another."""

import pytest

from rag.fold import fold
from rag.numbers import numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("30%", [0.3]),
        ("３０％", [0.3]),
        ("百分之三十", [0.3]),
        ("三成的人", [0.3]),
        ("1.5 萬", [15000]),
        ("一萬五千", [15000]),
        ("15,000", [15000]),
        ("二〇二二年四月二十六日", [2022, 4, 26]),
        ("兩千零五年", [2005]),
        ("十萬", [100000]),
        ("3億", [300000000]),
        ("百分之九十九點九", [0.999]),
        ("10k", [10000]),
        ("GSM8K", [8000]),
        ("三點一四", [3.14]),
        ("千分之五", [1000, 5]),
    ],
)
def test_the_values_of_what_is_written(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers(fold(text))] == values


@pytest.mark.parametrize("text", ["十分重要", "四川", "兩者都對", "萬一", "百度", "成千上萬"])
def test_numerals_that_count_nothing_are_no_numbers(text: str) -> None:
    assert list(numbers(fold(text))) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        ("12月", "12日", False),
        ("12人", "12名", True),
        ("12日", "12 號", True),
        ("12", "12月", True),
    ],
)
def test_a_month_is_no_day(ours: str, theirs: str, alike: bool) -> None:
    (one,), (other,) = numbers(fold(ours)), numbers(fold(theirs))

    assert one.is_like(other) is alike
