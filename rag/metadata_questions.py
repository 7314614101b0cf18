"""Questions about an article rather than its subject: who wrote it, when, where, the link."""

import re
from functools import lru_cache

_AUTHOR = "(?<!第一|通讯|共同)作者"  # those are of a paper that an article speaks of
_PIECE = (
    r"(?:原文|全文|文章|节目|影片|视频|访谈|播客|[这那该][篇集]"
    r"|\b(?:article|piece|original|episode|show|podcast|interview|video)\b)"
)
_WHERE = r"(?:在哪|哪里|哪儿|去哪|上哪)"
# What an article points to rather than is.
_CITED = (
    r"(?:论文|报告|代码|源码|数据集|(?<![a-z])(?:papers?|code|repo(?:sitory)?|dataset)(?![a-z]))"
)
_STUDY = r"(?:研究(?![员者生])|(?<![a-z])study(?![a-z]))"
_LINK = r"(?:网址|链接|连结|地址|url|links?)"
_OF_CITED = (
    rf"(?:{_CITED}|{_STUDY}).{{0,5}}{_LINK}"
    rf"|(?:links?|url|address) (?:to|for|of) (?:\w+ ){{0,3}}(?:{_CITED}|{_STUDY})"
    rf"|{_CITED}.{{0,6}}{_WHERE}.{{0,4}}(?:看(?!得?[出来穿懂])|读|下载|找)"
    rf"|{_WHERE}.{{0,4}}(?:看(?!得?[出来穿懂])|读|下载|找).{{0,6}}{_CITED}"
    rf"|\bwhere (?:can|could|do|should|to)\b.{{0,6}}\b(?:read|find|download|get)\b.{{0,12}}{_CITED}"
)
# Folded. Each line: what is asked, and the metadata keys whose lines answer it.
_ABOUT = {
    "author": rf"{_AUTHOR}.{{0,3}}(?:是|叫|名|为谁)|谁.{{0,6}}{_AUTHOR}|谁.{{0,2}}(?:写|编|撰|整理)"
    r"|执笔|撰[文稿]|编辑是谁|who (?:wrote|authored|is the author)|written by|\bbyline|author of",
    "date": r"(?:发布|发表|刊登|上线|出版|发文|写于|刊出)"
    r"|(?:文章|原文|报[导道]|帖子).{0,6}(?:时候|日期|哪天|几号|哪年)"
    r"|(?:文章|原文|报[导道]|帖子|[这那]篇).{0,4}(?:时候|哪一?天|几[号月]|哪年).{0,3}(?:发|写|登|上[架传线]|出|贴|po)"
    r"|\bpublish|\bposted\b|date of the"
    r"|\bwhen did\b.{0,40}\bpost\b.{0,40}\b(?:article|piece)\b",
    "place": r"发布地|发自"
    r"|(?:文章|报[导道]|原文|[那这]篇).{0,8}(?:城市|哪里|哪儿|地点|地方).{0,4}发",
    "url": r"网址|链接|连结|\burl\b|\blinks?\b|原文(?:在哪|出处|地址)"
    rf"|{_PIECE}.{{0,6}}{_WHERE}.{{0,4}}[看听读找]|{_WHERE}.{{0,4}}[看听读找].{{0,4}}{_PIECE}"
    rf"|\bwhere (?:can|could|do|should|to)\b.{{0,6}}\b(?:watch|listen|read|find)\b"
    rf".{{0,12}}{_PIECE}|{_OF_CITED}",
    "source": r"出处|来源|出自|哪[档个家].{0,3}(?:节目|媒体|公众号|频道|播客)|公众号"
    r"|(?:哪|什么|啥).{0,6}podcast|podcast.{0,4}(?:叫|名|是哪|是什么|是啥)"
    r"|\b(?:what|which) (?:\w+ ){0,2}(?:podcast|show)\b"
    r"|\b(?:podcast|show)(?:'s)? (?:name|called|is it)\b|name of the (?:podcast|show)|\bsource",
    "title": r"(?:文章|原文).{0,4}(?:标题|题目|叫什么)|\btitle\b",
    "tags": r"标签|分类|\btags?\b",
}
_KEYS = {
    "author": r"^(?:文章)?作者|^author|撰文|发自|\b文\b",
    "date": r"^date|^发布(?:时间|日期)|^日期|^时间",
    "place": r"^发布地|发自",
    "url": r"^source_url|^原文(?:链接|连结)|^url|^canonical|https?://",
    "source": r"^source_name|公众号|^来源|^出处|^source",
    "title": r"^title|^标题",
    "tags": r"^tags|^categories|^标签|^分类",
}
_NAMES_ARTICLES = re.compile(
    r"文章|原文|[报帖][导道子]|[这那两本几]篇|节目|[这那]集|\b(?:article|piece|post|report|episode)s?\b"
)
# What else may stand in a question that names no subject. Folded.
_FILLING = re.compile(
    r"请问|什么|哪[个里儿位天年些]|多少|怎么|何时|时候|时间|几号|日期|谁|[这那该此本][篇个]?|它|[是的了在叫有吗呢啊呀为由被]"
    r"|\b(?:who|what|when|where|which|how|is|are|was|were|did|do|does|it|its|this|that|the|a|an|of|for"
    r"|by|me|give|show|called|name)\b"
)
_OF_EACH = re.compile(r"[两几各每]篇|分别|各自|\b(?:both|each|respectively)\b")
_OF_CITED_PATTERN = re.compile(_OF_CITED)
_CITED_PATTERN = re.compile(rf"{_CITED}|{_STUDY}")
_ABOUT_PATTERNS = {key: re.compile(pattern) for key, pattern in _ABOUT.items()}
_KEY_PATTERNS = {key: re.compile(pattern) for key, pattern in _KEYS.items()}


@lru_cache(maxsize=64)  # of one question it is wanted for each line and passage that is read
def metadata_asked(folded_question: str) -> frozenset[str]:
    """What of an article's metadata a question asks for; empty for questions on its subject."""
    return frozenset(k for k, pattern in _ABOUT_PATTERNS.items() if pattern.search(folded_question))


def answers_metadata(asked: frozenset[str], folded_line: str) -> bool:
    """Whether a line of metadata holds something that was asked for."""
    return any(_KEY_PATTERNS[key].search(folded_line) for key in asked)


@lru_cache(maxsize=64)
def asks_link_of_cited(folded_question: str) -> bool:
    """Whether a question asks where a paper or code stands that an article speaks of."""
    return bool(_OF_CITED_PATTERN.search(folded_question))


def names_cited(folded_line: str) -> bool:
    """Whether a line names a paper, a study or code."""
    return bool(_CITED_PATTERN.search(folded_line))


def names_articles(folded_question: str) -> bool:
    """Whether a question speaks of an article: "who wrote this piece", not "who wrote o3"."""
    return bool(_NAMES_ARTICLES.search(folded_question))


def asks_only_metadata(folded_question: str) -> bool:
    """Whether a question asks for metadata and names no subject: "who wrote this?"."""
    if not metadata_asked(folded_question):
        return False
    rest = folded_question
    for pattern in (*_ABOUT_PATTERNS.values(), _NAMES_ARTICLES, _FILLING):
        rest = pattern.sub(" ", rest)
    return not re.search(r"\w", rest)


def asks_of_each(folded_question: str) -> bool:
    """Whether a question wants something of more than one article, of each its own."""
    return bool(_OF_EACH.search(folded_question))
