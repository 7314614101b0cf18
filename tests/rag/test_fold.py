"""Folding: one form for both scripts, one character for each character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.fold import fold, has_words

_WILD = st.text(
    st.sampled_from("對齐後后裡里乾干著着ＡＢａ１　「」『』“”İßſŒ𠮷😀👨‍👩‍👧\u200d\r\n\t\x00 ,，。.")
    | st.characters(),
    max_size=60,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("強化學習", "强化学习"),
        ("ＡＩ　Alignment", "ai alignment"),
        ("「外星」", '"外星"'),
        ("“外星”", '"外星"'),
        ("皇后在裡面", "皇后在里面"),
    ],
)
def test_fold_gives_one_form_for_both_scripts(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(_WILD)
def test_fold_keeps_the_length_so_that_offsets_carry_over(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(st.characters(categories=("Cs", "Lo")), max_size=20))
def test_fold_survives_lone_surrogates(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("？！…", False), ("🍜🍜", False), ("", False), ("\u200b", False), ("嗎", True), ("7", True)],
)
def test_has_words(text: str, answer: bool) -> None:
    assert has_words(text) is answer
