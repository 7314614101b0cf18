"""What a question asks for and what a sentence offers."""

import pytest

from rag.cues import asks, lacks_quantity
from rag.fold import fold


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What percentage of the seats was sold?", "many"),
        ("what share of them came", "many"),
        ("How many came?", "many"),
        ("幾個人來了？", "many"),
        ("On which day did it open?", "when"),
        ("In what town was she born?", "where"),
    ],
)
def test_what_a_question_asks_for(question: str, kind: str) -> None:
    assert kind in asks(fold(question))


@pytest.mark.parametrize(
    "question",
    ["What does it share with us?", "哪一天不重要", "他幾乎沒有說話", "几何学是谁创立的"],
)
def test_words_that_ask_for_no_quantity(question: str) -> None:
    assert "many" not in asks(fold(question))


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("這本書一共幾頁？", "這本書去年出版，賣得很好。"),
        ("他今年多少岁", "他出生在海边的一个小镇。"),
        ("橋有多長？", "這座橋去年蓋好，橋面很寬。"),
        ("蓋了多長時間？", "這座橋長 1.2 公里。"),
    ],
)
def test_a_quantity_that_no_sentence_counts_is_missing(question: str, sentence: str) -> None:
    assert lacks_quantity(fold(question), [fold(sentence)])


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("這本書一共幾頁？", "全書三百多頁。"),
        ("他今年多少岁", "他 42 岁。"),
        ("橋有多長？", "這座橋長 1.2 公里。"),
        ("他寫了哪幾本書？", "他的書有《山》與《海》。"),  # asks which, not how many
        ("他花了多少錢？", "他什麼都沒花。"),  # 錢 is not what is counted in
        ("為什麼下雨？", "因為有雲。"),
        ("蓋了多長時間？", "前後三年。"),
        ("幾何是誰提出的？", "是歐幾里得。"),
        ("這個幾率怎麼來的", "是猜的。"),
        ("什麼是多重人格？", "一個人有許多面貌。"),
        ("他有多高興？", "他跳了起來。"),
    ],
)
def test_a_quantity_that_is_counted_or_not_asked_for_is_not(question: str, sentence: str) -> None:
    assert not lacks_quantity(fold(question), [fold("別的事。"), fold(sentence)])
