"""The few sentences of our own that an answer may hold, in both scripts."""

from rag.result import Variant

REFUSED: dict[Variant, str] = {
    "hant": "文章裡沒有提到這個問題的答案。",
    "hans": "文章里没有提到这个问题的答案。",
}
REFUSED_NEAREST: dict[Variant, str] = {
    "hant": "文章裡沒有提到這個問題的答案。最接近的內容談的是：{topics}。",
    "hans": "文章里没有提到这个问题的答案。最接近的内容谈的是：{topics}。",
}
QUOTATION_MARKS: dict[Variant, tuple[str, str]] = {"hant": ("「", "」"), "hans": ("“", "”")}
