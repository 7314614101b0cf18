"""What a source says about itself before it begins: front matter, or the lines of an export.

`read_head(source)` takes the head off and returns it with the body. The lines that a reader may
ask about are kept verbatim; addresses go last, so that they do not part the lines around them.
"""

import datetime
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import yaml

from corpus.errors import UnreadableFile
from corpus.inline import plain

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays a string
_LIMIT = 64 * 1024  # characters of front matter


@dataclass(frozen=True, slots=True)
class Head:
    """The fields, the lines for the cleaned text, and the body that follows."""

    body: str
    lines: tuple[str, ...] = ()
    title: str | None = None
    url: str | None = None
    author: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()
    draft: bool = False
    is_front_matter: bool = False
    is_export: bool = False


def read_head(source: str) -> Head:
    """Front matter (YAML, TOML, JSON), then the lines of a WeChat export, where there are any.

    Raises UnreadableFile (with an empty path) for front matter that is broken.
    """
    source = source.lstrip("\ufeff \n\t") if source[:1].isspace() else source
    front = _front_matter(source)
    head = front or Head(source)
    export = _export_head(head.body)
    return _merge(head, export) if export else head


def _merge(front: Head, export: Head) -> Head:
    return Head(
        body=export.body,
        lines=tuple(_addresses_last([*front.lines, *export.lines])),
        title=front.title or export.title,
        url=front.url or export.url,
        author=front.author or export.author,
        date=front.date or export.date,
        tags=front.tags or export.tags,
        draft=front.draft,
        is_front_matter=front.is_front_matter,
        is_export=export.is_export,
    )


# --- front matter ---------------------------------------------------------------------------

_yaml_block = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.M | re.S)
_toml_block = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.M | re.S)
_first_key = re.compile(
    r"(?:---|\+\+\+)[ \t]*\n(?:[ \t]*(?:#[^\n]*)?\n)*+[\"']?[A-Za-z_][\w-]*[\"']?\s*[:=]"
)


def _front_matter(source: str) -> Head | None:
    if source.startswith(("---", "+++")):
        pattern = _yaml_block if source.startswith("---") else _toml_block
        block = pattern.match(source)
        keyed = _first_key.match(source)
        if not block:
            if keyed and source[3:4] in "\n \t":
                raise UnreadableFile("", "its front matter has no closing line")
            return None
        _refuse_long(block.group(1))
        lines, body = block.group(1), source[block.end() :]
        values = _yaml(lines, bool(keyed)) if pattern is _yaml_block else _toml(lines)
        return None if values is None else _head(values, lines, body)
    return _json_front_matter(source) if source.startswith("{") else None


def _refuse_long(block: str) -> None:
    if len(block) > _LIMIT:
        raise UnreadableFile("", f"its front matter is longer than {_LIMIT // 1024} KB")


def _yaml(block: str, keyed: bool) -> Mapping[str, object] | None:
    """None where the dashes were a rule and no front matter."""
    try:
        values = yaml.load(block, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if not keyed:
            return None
        raise UnreadableFile("", f"its front matter is not valid YAML{_where(error)}") from error
    if values is None or values == "":
        return {}
    return values if isinstance(values, dict) else None


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None)
    place = f" (line {mark.line + 2})" if mark else ""
    return f"{place}: {problem}" if problem else place


def _toml(block: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(block)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise UnreadableFile("", f"its front matter is not valid TOML: {error}") from error


def _json_front_matter(source: str) -> Head | None:
    try:
        values, end = json.JSONDecoder().raw_decode(source[: 2 * _LIMIT])
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not {"title", "date", "draft"} & values.keys():
        return None
    lines = "".join(f"{key}: {_shown(value)}\n" for key, value in values.items())
    return _head(values, lines, source[end:])


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _head(values: Mapping[str, object], block: str, body: str) -> Head:
    known = {str(key).lower(): value for key, value in values.items() if key is not None}
    for nested in ("params", "extra"):
        inner = known.get(nested)
        if isinstance(inner, Mapping):
            known = {str(key).lower(): value for key, value in inner.items()} | known
    return Head(
        body=body,
        lines=tuple(_addresses_last(_asked_about(block))),
        title=_first(known, "title"),
        url=_address(known),
        author="、".join(_texts(known.get("author") or known.get("authors"))) or None,
        date=iso_date(_first(known, "date", "publishdate", "pubdate") or ""),
        tags=_tags(known.get("tags")),
        draft=str(known.get("draft", "")).strip().lower() in ("true", "yes", "on", "1"),
        is_front_matter=True,
    )


def _texts(value: object) -> list[str]:
    """The strings in a value that may be a string, a number, a list, a table or nothing."""
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, (datetime.date, datetime.time)):
        return [value.isoformat()]
    if isinstance(value, Mapping):
        name = value.get("name") or value.get("title")
        return [] if isinstance(name, Mapping) else _texts(name)
    if _is_list(value):
        return [text for item in value[:100] if not _is_list(item) for text in _texts(item)]
    text = " ".join(str(value).split())
    return [] if text in ("", "~") or text.lower() == "null" else [text]


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _first(known: Mapping[str, object], *keys: str) -> str | None:
    return next((texts[0] for key in keys if (texts := _texts(known.get(key)))), None)


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"[,，、;；]", value)
    return tuple(dict.fromkeys(_texts(value)))


_ADDRESSES = (
    "source_url", "sourceurl", "original_url", "originalurl", "source", "canonical",
    "canonicalurl", "canonical_url", "externalurl", "link", "url",
)  # fmt: skip


def _address(known: Mapping[str, object]) -> str | None:
    """The first that is an address: Hugo's `url` is often a path of its own site."""
    texts = (text for key in _ADDRESSES for text in _texts(known.get(key)))
    return next((text for text in texts if text.startswith(("http://", "https://"))), None)


_ASKED = {
    "title", "subtitle", "date", "description", "summary", "tags", "categories", "author",
    "authors", *(_ADDRESSES[:-2]), "source_name", "sourcename",
}  # fmt: skip
_key = re.compile(r"[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*[:=]")
_nothing = re.compile(r"[^:=]*[:=]\s*(?:\"\"|''|\[\s*\]|null|~)?\s*")


def _asked_about(block: str) -> Iterator[str]:
    """The entries a reader may ask about, each the line of its key and those continuing it."""
    entry: list[str] = []
    for line in [*block.split("\n"), "end_of_block:"]:
        key = _key.match(line)
        if key or line.startswith(("[", "#")):
            if len(entry) > 1 or (entry and not _nothing.fullmatch(entry[0])):
                yield "\n".join(entry)
            entry = [line.rstrip()] if key and key.group(1).lower() in _ASKED else []
        elif entry and line.strip():
            entry.append(line.rstrip())


def _addresses_last(lines: Iterator[str] | Sequence[str]) -> list[str]:
    return sorted(lines, key=lambda line: "://" in line)


# --- WeChat exports -------------------------------------------------------------------------

_EXPORT_KEYS = {
    "author": "文章作者|作者|文章來源作者",
    "date": "发布时间|發布時間|發佈時間|发布日期|發布日期|發佈日期|发表时间|發表時間|日期",
    "place": "发布地点?|發布地點?|發佈地點?|发表地|發表地|IP属地|IP屬地",
    "url": "原文链接|原文連結|原文鏈接|原文地址|原文网址|原文網址|文章链接|文章連結",
    "cover": "封面图链接|封面圖連結|封面圖鏈接|封面图|封面圖|封面",
    "source": "公众号|公眾號|公众号名称|公眾號名稱|来源|來源|文章来源|文章來源|出處|出处",
}
_export_line = re.compile(
    r"(?:"
    + "|".join(f"(?P<{key}>{names})" for key, names in _EXPORT_KEYS.items())
    + r")\s*[:：](?P<value>[^。！？]{0,80}?(?:https?://\S{1,2000})?)\s*$"
)
# Unlike the others it holds sentences; alone it may begin any text.
_abstract_line = re.compile(
    r"(?:(?:文章|内容|內容)?摘要|[简簡]介|[导導][语語读讀])\s*[:：]\s*\S.{0,600}"
)
_title_line = re.compile(r"#[ \t]+(.+?)[ \t]*#*$")
_byline = re.compile(
    r"\S.{0,24}?\s(?:发自|發自)\s.{1,24}"
    r"|[^。！？]{1,24}[|｜丨]\s*(?:公众号|公眾號)\s*\S.{0,24}"
    r"|[^\s，。！？]{2,12}(?:报道|報導|報道|原创|原創|出品|编译|編譯|整理)"
    r"|(?:编辑|編輯|作者|撰文|文|记者|記者|来源|來源|责编|責編|编译|編譯|翻译|翻譯|校对|校對|排版)"
    r"\s*[|｜丨:：/／]\s*[^。！？]{1,40}"
)
_marks = re.compile(r"^#+\s*|^(?:[\s>]|[*+-]\s)+")
_http = re.compile(r"https?://[^\s<>()\[\]]+")
_MOST_LINES = 24


def _export_head(body: str) -> Head | None:
    """The title and the metadata lines at the very beginning of a body."""
    lines = body.split("\n", _MOST_LINES)
    found: dict[str, str] = {}
    kept: list[str] = []
    title, i = _export_title(lines)
    while i < min(len(lines), _MOST_LINES):
        line = plain(_marks.sub("", lines[i]))
        entry = _export_line.match(line)
        if entry:
            key = next(key for key in _EXPORT_KEYS if entry.group(key))
            line = _with_address(line, lines[i]) if key == "url" else line
            found.setdefault(key, line[entry.start("value") :].strip())
            if key != "cover":
                kept.append(line)
        elif _abstract_line.fullmatch(line) and (found or _export_follows(lines, i)):
            kept.append(line)
        elif line:
            break
        i += 1
    if not found:
        return None
    return _exported(found, kept, title, lines, i)


def _export_title(lines: Sequence[str]) -> tuple[str | None, int]:
    """The title is a heading, or the line before the first metadata line."""
    i = next((i for i, line in enumerate(lines) if line.strip()), 0)
    heading = _title_line.match(lines[i])
    if heading:
        return plain(heading.group(1)), i + 1
    first = plain(_marks.sub("", lines[i]))
    named = _export_line.match(first) or _abstract_line.fullmatch(first)
    if len(first) < 80 and not named and _export_follows(lines, i):
        return first or None, i + 1
    return None, i


def _export_follows(lines: Sequence[str], i: int) -> bool:
    """Whether the next line that is not blank is one of metadata."""
    following = next((line for line in lines[i + 1 : _MOST_LINES] if line.strip()), "")
    return bool(_export_line.match(plain(_marks.sub("", following))))


def _with_address(line: str, source: str) -> str:
    """原文链接: [标题](https://…) is there for the address."""
    address = _http.search(source)
    return f"{line} {address.group()}" if address and "://" not in line else line


def _exported(
    found: Mapping[str, str], kept: list[str], title: str | None, lines: Sequence[str], i: int
) -> Head:
    while i < min(len(lines), _MOST_LINES):
        line = plain(_marks.sub("", lines[i]))
        if line and not _byline.fullmatch(line):
            break
        kept += [line] if line else []
        i += 1
    address = _http.search(found.get("url", ""))
    return Head(
        body="\n".join(lines[i:]),
        lines=tuple(_addresses_last([title, *kept] if title else kept)),
        title=title,
        url=address.group() if address else None,
        author=plain(found.get("author", "")) or None,
        date=iso_date(found.get("date", "")),
        is_export=len(found) > 1 or "url" in found,
    )


# --- dates ----------------------------------------------------------------------------------

_date = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:\s*日)?"
    r"(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)


def iso_date(text: str) -> str | None:
    """ "2024年1月5日 17:45" as "2024-01-05T17:45"; None where there is no date."""
    match = _date.search(text)
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    date = f"{year}-{int(month):02}-{int(day):02}"
    if hour:
        date += f"T{int(hour):02}:{minute}" + (f":{second}" if second else "") + (zone or "")
    try:
        datetime.datetime.fromisoformat(date)
    except ValueError:
        return None
    return date
