"""Which questions want a definition or an introduction, and which sentences give one."""

import re

import pytest

from rag.definition import definition_of
from rag.fold import fold


def gives(question: str, sentence: str) -> bool:
    pattern = definition_of(fold(question))
    assert pattern is not None
    return bool(pattern.search(fold(sentence)))


@pytest.mark.parametrize(
    ("question", "sentence", "given"),
    [
        ("什麼是擺渡？", "擺渡是指用船把人送到對岸。", True),
        ("什麼是擺渡？", "擺渡（ferrying）的意思是用船載人過河。", True),
        ("擺渡是什麼意思", "他靠擺渡過日子。", False),
        ("what is ferrying", "Ferrying means carrying people across.", True),
        ("what is ferrying", "不擺渡的日子他補網。", False),
    ],
)
def test_what_something_is(question: str, sentence: str, given: bool) -> None:
    assert gives(question, sentence) is given


@pytest.mark.parametrize(
    "question",
    [
        "Marta 是誰",
        "请问 Marta 是谁啊？",
        "Marta 到底是什麼人",
        "誰是 Marta",
        "who is Marta?",
        "Who's Marta",
    ],
)
def test_who_asks_for_a_person_wants_an_introduction(question: str) -> None:
    assert gives(question, "Marta 是鎮上唯一的修琴師。")
    assert gives(question, "瑪塔（Marta）目前同時替兩間教堂調音。") is False
    assert gives(question, "瑪塔（Marta）目前是修琴師。")
    assert gives(question, "寫信的是 Marta（瑪塔），她有兩份工作。")
    assert gives(question, "Marta 從小在港口長大。")
    assert gives(question, "這件事 Marta 講得比較細。") is False
    assert gives(question, "Martas 是別人。") is False


@pytest.mark.parametrize(
    "question",
    [
        "這集的主持人是誰",
        "這座橋的設計者是誰",
        "who is the host",
        "Who is his advisor?",
        "你是誰",
        "who are you",
        "他是誰",
        "誰",
        "是誰",
        "who is",
        "誰修好了那架琴",
        "Marta 為什麼離開",
        "",
    ],
)
def test_who_names_nobody_asks_for_no_introduction(question: str) -> None:
    assert definition_of(fold(question)) is None


@pytest.mark.parametrize("name", ["(", "[a", "C++", "a*b", "x" * 41, "・"])
def test_any_name_is_taken_as_it_is_written(name: str) -> None:
    pattern = definition_of(fold(f"who is {name}"))

    assert pattern is None or re.compile(pattern.pattern)
    assert pattern is None or pattern.search(fold(f"{name} 是人。"))
