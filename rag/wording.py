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
# Set behind a sentence whose words differ from its quote's where they might mean something else.
DOUBT = "⚠"
DOUBTFUL: dict[Variant, str] = {
    "hant": "⚠ 這句話的用詞和引文不完全一樣，請對照引文。",
    "hans": "⚠ 这句话的用词和引文不完全一样，请对照引文。",
}
