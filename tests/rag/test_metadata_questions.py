"""Questions about an article are told from those on what it speaks of."""

import pytest

from rag.fold import fold
from rag.metadata_questions import asks_only_metadata, metadata_asked

ASKED = {
    "文章作者是誰": "author",
    "谁写的这篇": "author",
    "這篇什麼時候發布的": "date",
    "講紙鳶那篇是哪一天上架的": "date",
    "when did the paper kite team post the piece on wind": "date",
    "原文链接给我": "url",
    "這集節目在哪裡看": "url",
    "去哪裡可以聽到這集訪談": "url",
    "文章全文要上哪兒讀": "url",
    "where can I watch the episode?": "url",
    "where to read the original article": "url",
    "這是哪個 podcast": "source",
    "这个 podcast 叫什么": "source",
    "what show is it based on": "source",
    "what's the podcast called": "source",
    "文章标题叫什么": "title",
}
NOT_ASKED = (
    "這集 podcast 有多長",
    "how long is the show",
    "那篇論文的第一作者是誰",
    "谁是共同作者",
    "通讯作者是哪个学校的",
    "show me how it works",
    "在哪裡看醫生",
    "這款遊戲哪一天上架",
    "那檔播客是幾月播的",  # not when the article on it appeared
    "那篇提到的研究是什麼時候做的",
    "when did the team post a guard",
    "哪裡看得到極光",
    "where can I find a doctor",
    "節目裡說他在哪裡長大",
)


@pytest.mark.parametrize(("question", "key"), ASKED.items())
def test_what_stands_in_the_metadata_is_asked_of_the_article(question: str, key: str) -> None:
    assert key in metadata_asked(fold(question))


@pytest.mark.parametrize("question", NOT_ASKED)
def test_what_metadata_never_holds_is_asked_of_the_text(question: str) -> None:
    assert not metadata_asked(fold(question))


def test_a_question_that_names_no_subject_asks_only_for_metadata() -> None:
    assert asks_only_metadata(fold("這篇是誰寫的？"))
    assert asks_only_metadata(fold("這集節目在哪裡看？"))
    assert not asks_only_metadata(fold("寫 o3 那篇的作者是誰？"))
