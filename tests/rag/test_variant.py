"""The variant contract: which script a text is in, and bringing our text to the asker's."""

import pytest

from rag.result import Variant
from rag.variant import detect, purity, resolve, to_variant


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("什麼是對齊？", "hant"),
        ("什么是对齐？", "hans"),
        ("於是", "hant"),
        ("什么", "hans"),
        ("你好", None),
        ("皇后在台北", None),
        ("What is sandbagging?", None),
        ("", None),
        ("🍜", None),
        ("對齊 对", "hant"),
    ],
)
def test_detect_counts_the_characters_that_only_one_script_has(
    text: str, variant: Variant | None
) -> None:
    assert detect(text) == variant


@pytest.mark.parametrize(
    ("question", "choice", "locale", "variant"),
    [
        ("什么是对齐", "hant", "zh-CN", "hant"),
        ("什么是对齐", None, "zh-TW", "hans"),
        ("你好", None, "zh-CN", "hans"),
        ("你好", None, "zh-HK", "hant"),
        ("hello", None, "en-US", "hant"),
        ("hello", None, None, "hant"),
    ],
    ids=["own choice", "script", "locale cn", "locale hk", "default for en", "default"],
)
def test_own_choice_comes_before_script_before_locale_before_default(
    question: str, choice: Variant | None, locale: str | None, variant: Variant
) -> None:
    assert resolve(question, choice, locale) == variant


@pytest.mark.parametrize(
    ("text", "variant", "shown"),
    [
        ("聪明了", "hant", "聰明了"),
        ("聰明了", "hant", "聰明了"),  # s2tw alone makes this 聰明瞭
        ("聰明了", "hans", "聪明了"),
        ("《魔鬼終結者》裡的機器人", "hans", "《魔鬼終結者》里的机器人"),
        ("见 https://example.org/网页", "hant", "見 https://example.org/網頁"),
        ("代码 `变量名` 不变", "hant", "代碼 `变量名` 不變"),
        ("你好", "hant", "你好"),
    ],
)
def test_to_variant_leaves_titles_code_and_what_needs_no_change(
    text: str, variant: Variant, shown: str
) -> None:
    assert to_variant(text, variant) == shown


def test_to_variant_leaves_names_that_are_to_be_kept() -> None:
    assert to_variant("余夢先生說梦话", "hans", ("余夢",)) == "余夢先生说梦话"


def test_purity_counts_script_bearing_characters_outside_titles() -> None:
    assert purity("這是对的《变形金刚》", "hant") == (1, 2)
