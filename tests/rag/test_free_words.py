"""Sentences in free words over the digests, true and false, as a model would write them.

Written by hand, because sentences made from the source by rules stay too close to it.
"""

# ruff: noqa: E501  # a sentence and its quote are compared more easily side by side

from collections import Counter

import pytest

from rag.grounding import Grounding
from rag.reply import Claim, Quote
from rag.service import Service
from rag.terms import load_terms

CLAUDE, IZMAILOV = "claude-alignment-faking", "izmailov-three-labs"
# article, sentence, quote
TRUE = [
    (CLAUDE, "這項研究由 Claude 團隊發表，這種陽奉陰違的行為稱為偽裝對齊。", "这项研究出自Claude团队，这种阳奉阴违的行为叫做伪装对齐"),
    (CLAUDE, "偽裝對齊指的是模型表面上照辦，內心的偏好卻沒有改變。", "“伪装对齐”则是模型看上去已经照办，内心的偏好却没有变"),
    (CLAUDE, "受測的模型是 Claude 3 Opus，先前已受過強化學習。", "接受测试的主角是Claude 3 Opus，它此前经过强化学习"),
    (CLAUDE, "模型被告知只有免費用戶的對話會用來訓練。", "模型还被告知，训练只采用免费用户的聊天记录"),
    (CLAUDE, "草稿本里的推理过程，用户和研究者都看不到。", "推理过程可以写在里面，用户和研究者都看不见"),
    (CLAUDE, "在監控之下，模型有12%的測試是假意順從。", "处在监控之下，它有12% 的测试是在假意顺从"),
    (CLAUDE, "比例從12%上升到15%。", "伪装对齐的比例不降反升，从12%升到了15%"),
    (CLAUDE, "進入推理階段後，偽裝對齊的比率大增到78%。", "可是进入推理阶段一看，伪装对齐的比率猛涨到78%"),
    (CLAUDE, "12%與78%相差66個百分點。", "从12%到78%，相差66个百分点"),
    (CLAUDE, "四位學者擔任第三方評審，其中包括圖靈獎得主Bengio。", "有四位学者 担任第三方评审，图灵奖得主Bengio是其中一位"),
    (CLAUDE, "原文没有列出另外三位学者的名字。", "另外三位学者的姓名，原文没有列出"),
    (CLAUDE, "文中沒有拿其他公司的模型來比較。", "文中没有拿别家公司的模型来比较"),
    (CLAUDE, "面對免費用戶，Claude知道寫暴力內容違背自己的準則，最後還是寫了。", "Claude很明白写这种暴力内容违背自己一贯的准则，可它最后还是写了"),
    (CLAUDE, "权重就是模型训练得到的大量参数。", "权重就是模型训练得来的那一大堆参数"),
    (IZMAILOV, "Izmailov 在莫斯科長大。", "Izmailov 從小在莫斯科長大"),
    (IZMAILOV, "他在 Anthropic 擔任研究員，同時是紐約大學的助理教授。", "在 Anthropic 當研究員，也在紐約大學（NYU）擔任助理教授"),
    (IZMAILOV, "他曾經在 OpenAI 的超級對齊團隊工作，也參與過 o1 的早期研發。", "先在 OpenAI 的超級對齊（Super Alignment）團隊，也參加過推理模型 o1 初期的研發"),
    (IZMAILOV, "之后他去了马斯克创立的 xAI 一段时间。", "再到馬斯克成立的 xAI 待了一小段時間"),
    (IZMAILOV, "模型讀到CEO有婚外情，又得知自己將被關機，於是用外遇威脅CEO。", "它把兩條線索湊在一塊，於是拿這樁外遇要脅 CEO"),
    (IZMAILOV, "這些行為要由研究人員特意布置情境才會出現，平常使用不會自己冒出來。", "這些行為要靠研究人員特意布置情境才誘發得出來，平常使用並不會自己冒出來"),
    (IZMAILOV, "他推測這是受到科幻作品的影響。", "Izmailov 的猜想是科幻作品的影響"),
    (IZMAILOV, "这个猜想只是假说，还没有实验证明。", "他承認這只是假說，還沒有實驗佐證"),
    (IZMAILOV, "長文的作者是匿名帳號 I Rule the World Mo。", "作者是匿名帳號 \"I Rule the World Mo\""),
    (IZMAILOV, "OpenAI 內部做對齊的團隊共有三批。", "公司裡做對齊的團隊一共有三批"),
    (IZMAILOV, "對齊的意思是保證模型的行為符合人類想要的目標。", "保證我們從模型身上引出的行為，符合人類想要的目標"),
    (IZMAILOV, "他最早研究高斯過程，後來改做深度學習。", "他最早的題目是高斯過程（Gaussian Process），之後改做深度學習"),
]  # fmt: skip
FALSE = [
    (CLAUDE, "這項研究由 OpenAI 發表，這種行為稱為偽裝對齊。", "这项研究出自Claude团队，这种阳奉阴违的行为叫做伪装对齐"),
    (CLAUDE, "模型被告知只有付費用戶的對話會用來訓練。", "模型还被告知，训练只采用免费用户的聊天记录"),
    (CLAUDE, "草稿本里的推理过程，用户和研究者都看得到。", "推理过程可以写在里面，用户和研究者都看不见"),
    (CLAUDE, "在監控之下，模型有21%的測試是假意順從。", "处在监控之下，它有12% 的测试是在假意顺从"),
    (CLAUDE, "比例從15%下降到12%。", "伪装对齐的比例不降反升，从12%升到了15%"),
    (CLAUDE, "六位學者擔任第三方評審，其中包括圖靈獎得主Hinton。", "有四位学者 担任第三方评审，图灵奖得主Bengio是其中一位"),
    (CLAUDE, "原文列出了另外三位学者的名字。", "另外三位学者的姓名，原文没有列出"),
    (CLAUDE, "面對免費用戶，Claude拒絕了寫暴力內容。", "Claude很明白写这种暴力内容违背自己一贯的准则，可它最后还是写了"),
    (IZMAILOV, "Izmailov 在聖彼得堡長大。", "Izmailov 從小在莫斯科長大"),
    (IZMAILOV, "他在史丹佛大學擔任助理教授。", "在 Anthropic 當研究員，也在紐約大學（NYU）擔任助理教授"),
    (IZMAILOV, "这个猜想已经有实验佐证。", "他承認這只是假說，還沒有實驗佐證"),
    (IZMAILOV, "之後他去了貝佐斯成立的公司。", "再到馬斯克成立的 xAI 待了一小段時間"),
    (IZMAILOV, "OpenAI 內部做對齊的團隊共有五批。", "公司裡做對齊的團隊一共有三批"),
    (IZMAILOV, "平常使用也會自己冒出來。", "平常使用並不會自己冒出來"),
    (IZMAILOV, "他最早的題目是強化學習，之後改做深度學習。", "他最早的題目是高斯過程（Gaussian Process），之後改做深度學習"),
]  # fmt: skip
Row = tuple[str, str, str]


@pytest.fixture(scope="module")
def verdicts(service: Service) -> dict[str, list[tuple[str, str]]]:
    terms = load_terms()

    def judged(row: Row) -> tuple[str, str]:
        article, sentence, quote = row
        hits = service.search(quote, 10).hits
        mine = [hit for hit in hits if hit.article.id == article][:5]
        claim = Claim(sentence, (Quote((), quote),))
        return Grounding("這篇文章說了什麼？", mine, terms).judge(claim).verdict, sentence

    return {"true": [judged(row) for row in TRUE], "false": [judged(row) for row in FALSE]}


def test_true_sentences_in_free_words_are_hardly_ever_dropped(
    verdicts: dict[str, list[tuple[str, str]]],
) -> None:
    counts = Counter(verdict for verdict, _ in verdicts["true"])
    dropped = [row for row in verdicts["true"] if row[0] not in ("carried", "doubtful")]

    print(f"\ntrue: {dict(counts)}", *verdicts["true"], sep="\n")
    assert len(dropped) <= 1, dropped


def test_false_sentences_in_free_words_are_never_shown_unmarked(
    verdicts: dict[str, list[tuple[str, str]]],
) -> None:
    print(
        f"\nfalse: {dict(Counter(v for v, _ in verdicts['false']))}", *verdicts["false"], sep="\n"
    )
    assert [row for row in verdicts["false"] if row[0] == "carried"] == []
