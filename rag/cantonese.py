"""Questions in spoken Cantonese are searched for as Mandarin: what the articles are written in."""

import re

# Characters and words that Mandarin does not write; without one a question stays as it is.
_SPOKEN = re.compile(
    r"[嘅咗喺冇啲嗰哋嘢嚟唔㗎佢乜]|[點点][解樣样]|[邊边](?:個|个|度|間|间)|[係系]咪|[幾几](?:[時时](?!候)|多)|(?:而|依)家|入面|真[係系]|呢[個个篇啲兩两]"
)
# In this order: longer forms before what they are made of.
_WORDS = (
    (r"[點点]解|做[乜咩](?:嘢)?", "為什麼"),
    (r"[點点][樣样]|[點点](?=先|會|会|可以|做|算|知)", "怎麼"),
    (r"[係系]咪", "是不是"),
    (r"有冇", "有沒有"),
    (r"[識识]唔[識识]", "會不會"),
    (r"[邊边][個个](?=[係是話话講讲寫写做整搞發提先睇見见識识去嚟\W]|$)", "誰"),
    (r"[邊边](?=[個个間间種种篇])", "哪"),
    (r"[邊边]度", "哪裡"),
    (r"[幾几][時时](?!候)", "什麼時候"),
    (r"[幾几]多", "多少"),
    (r"[乜咩]嘢嚟|[乜咩]嘢|[乜咩]", "什麼"),
    (r"做嘢", "工作"),
    (r"入面", "裡"),
    (r"真[係系]", "真的"),
    (r"佢哋", "他們"),
    (r"(?<=[我你])哋", "們"),
    (r"佢", "他"),
    (r"呢(?=[個个篇啲種种位間间集度兩两幾几])", "這"),
    (r"嗰", "那"),
    (r"(?:而|依)家", "現在"),
    (r"即[係系]", "就是"),
    (r"同埋", "和"),
    (r"呃(?=[人我你他])", "騙"),
    (r"扮(?!演)", "假裝"),
    (r"[識识]得?(?=[騙假自])|[識识]得", "會"),
    (r"仲(?![裁介夏])", "還"),
    (r"(?<=[講讲做睇寫写讀读學学用諗])緊", ""),
    (r"睇", "看"),
    (r"[畀俾]", "給"),
    (r"嘅", "的"),
    (r"咗", "了"),
    (r"喺", "在"),
    (r"冇", "沒有"),
    (r"啲", "些"),
    (r"咁", "這麼"),
    (r"嘢", "東西"),
    (r"嚟", "來"),
    (r"唔", "不"),
    (r"(?<![關关聯联體体])係", "是"),
    (r"㗎(?=\W*$)", "的"),
    (r"[㗎喎啩囉]|咋(?=\W*$)", ""),
)
_PATTERNS = tuple((re.compile(pattern), word) for pattern, word in _WORDS)


def in_mandarin(question: str) -> str:
    """The question with Mandarin's words for those of spoken Cantonese, if it holds any."""
    if not _SPOKEN.search(question):
        return question
    for pattern, word in _PATTERNS:
        question = pattern.sub(word, question)
    return question
