import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.decode import decode
from corpus.errors import UnreadableFile

# Some fifty characters each: weather, cooking, a library, a train, a name list, with Latin words.
HANS = [
    "今天早上下了一场大雨，公园里的人很少，只有几位老人还在亭子里下棋，他们说雨停了再回家。",
    "把土豆切成小块，先用冷水泡十分钟，再放进锅里煮；水开以后转小火，大约二十分钟就好了。",
    "这家图书馆每周一闭馆，借书证可以在网上办理，每次最多借十本，期限为三十天，到期可续借。",
    "我们用 Python 3 写了一个小工具，把表格里的数据读出来，再按时间排序，最后画成一张图。",
    "“请问去车站怎么走？”“一直往前，过两个路口右转，就能看见了。”他笑着回答说。",
]
HANT = [
    "今天早上下了一場大雨，公園裡的人很少，只有幾位老人還在亭子裡下棋，他們說雨停了再回家。",
    "把馬鈴薯切成小塊，先用冷水泡十分鐘，再放進鍋裡煮；水開以後轉小火，大約二十分鐘就好了。",
    "這家圖書館每週一閉館，借書證可以在網路上辦理，每次最多借十本，期限為三十天，到期可續借。",
    "我們用 Python 3 寫了一個小工具，把表格裡的資料讀出來，再按時間排序，最後畫成一張圖。",
    "「請問去車站怎麼走？」「一直往前，過兩個路口右轉，就能看見了。」他笑著回答說。",
]
ENCODINGS = {
    "utf-8": HANS + HANT,
    "utf-8-sig": HANS + HANT,
    "utf-16": HANS + HANT,
    "utf-16-le": HANS + HANT,
    "utf-16-be": HANS + HANT,
    "utf-32": HANS + HANT,
    "gb18030": HANS + HANT,
    "gbk": HANS + HANT,
    "gb2312": HANS,
    "cp950": HANT,
    "big5": HANT,
    "big5hkscs": HANT,
}
MIXED = [
    pytest.param(encoding, text, id=f"{encoding}-{number}")
    for encoding, texts in ENCODINGS.items()
    for number, text in enumerate(texts)
]


@pytest.mark.parametrize(("encoding", "text"), MIXED)
def test_some_fifty_characters_suffice(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(("encoding", "text"), MIXED)
def test_twenty_characters_suffice(encoding: str, text: str) -> None:
    assert decode(text[:20].encode(encoding)) == text[:20]


@pytest.mark.parametrize(("encoding", "text"), MIXED)
def test_a_long_text_is_read_as_a_short_one(encoding: str, text: str) -> None:
    long = (text + "\r\n") * 400

    assert decode(long.encode(encoding)) == long


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_western_text_in_utf_16_without_a_mark_is_not_taken_for_utf_8(encoding: str) -> None:
    assert decode("Plain words.\n".encode(encoding)) == "Plain words.\n"


def test_a_page_that_is_mostly_markup_is_judged_by_its_chinese() -> None:
    page = '<html><head><meta charset="gb2312"></head><body class="a b c">你好，世界</body></html>'

    assert decode(page.encode("gb18030")) == page


def test_characters_of_hong_kong_and_of_eten_are_read() -> None:
    text = "佢哋話今日嘅天氣好好，我哋一齊去飲茶，唔使等佢返嚟。"
    eten = "這面牆裏的恒溫裝置需要專人維護，每週檢查一次。"

    assert decode(text.encode("big5hkscs")) == text
    assert decode(eten.encode("cp950")) == eten


def test_emoji_and_rare_characters_survive_gb18030() -> None:
    text = "今天的天气很好😀，𠮷野家在路口的左边，我们一起去吃饭吧。"

    assert decode(text.encode("gb18030")) == text


def test_the_mark_itself_is_not_text() -> None:
    assert decode(codecs.BOM_UTF8 + "文".encode()) == "文"
    assert decode(b"") == ""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"%PDF-1.7 ...", "PDF", id="pdf"),
        pytest.param(b"PK\x03\x04rest", "ZIP", id="zip"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "PNG", id="png"),
        pytest.param(bytes(range(256)) * 8, "not text", id="all-bytes"),
        pytest.param(b"\x00\x01\x02\x03" * 50, "control characters", id="controls"),
        pytest.param(codecs.BOM_UTF8 + b"\xe4\xb8", "UTF-8", id="cut-after-a-mark"),
        pytest.param(codecs.BOM_UTF16_LE + b"\x00\xd8\x41", "UTF-16", id="broken-utf-16"),
        pytest.param((HANT[0] * 5).encode()[:-2], "UTF-8 with a broken", id="cut-utf-8"),
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        decode(data)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift_jis", "これは日本語の文章です。東京の天気は晴れです。学校で勉強する。"),
        ("euc_jp", "これは日本語の文章です。東京の天気は晴れです。学校で勉強する。"),
        ("euc_kr", "이것은 한국어 문장입니다. 서울의 날씨는 맑습니다."),
        ("cp1251", "Это русский текст для проверки."),
        ("latin-1", "Le garçon a été très étonné par la façade élevée."),
        ("cp1252", "He said “Hello” and it’s fine — really…"),
    ],
)
def test_an_encoding_we_do_not_know_is_refused_and_never_mojibake(encoding: str, text: str) -> None:
    with pytest.raises(UnreadableFile):
        decode(text.encode(encoding))


def test_one_broken_byte_in_utf_8_is_not_read_as_gb18030() -> None:
    for text in HANS + HANT:
        data = (text * 3).encode()
        for place in range(0, len(data), 17):
            with pytest.raises(UnreadableFile):
                decode(data[:place] + b"\xff" + data[place:])


def test_random_bytes_are_refused() -> None:
    noise = random.Random(7)
    for size in range(40, 4000, 97):
        with pytest.raises(UnreadableFile):
            decode(noise.randbytes(size))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf_8_is_always_read_back(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@given(st.binary(max_size=300))
def test_bytes_are_either_text_or_refused(data: bytes) -> None:
    try:
        text = decode(data)
    except UnreadableFile as error:
        text = error.reason
    assert text or not data or data in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
