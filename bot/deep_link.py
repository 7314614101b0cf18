"""A link that opens the original at the passage: `#:~:text=` with a short unique anchor.

https://wicg.github.io/scroll-to-text-fragment/: the browser goes to the first place that has the
text, so the anchor must be unique in the article. Percent-encoded Chinese costs nine characters a
character, and Discord takes 512 for a link button.
"""

import re
from urllib.parse import quote, urlsplit

from rag.addresses import ADDRESS

_LIMIT = 512
_SHORTEST, _LONGEST = 6, 40
# These show no text that a fragment could find.
_WITHOUT_TEXT = re.compile(r"(^|\.)(youtube\.com|youtu\.be|bilibili\.com|spotify\.com)$")


def deep_link(url: str | None, quotation: str, text: str) -> str | None:
    """The link to an article at a quotation of `text`; the plain link, or None, if none fits."""
    if not usable(url) or url is None:
        return None
    if _WITHOUT_TEXT.search(urlsplit(url).hostname or ""):
        return url
    anchor = unique_anchor(quotation, text)
    if anchor:
        joint = ":~:text=" if "#" in url else "#:~:text="
        link = f"{url}{joint}{_encoded(anchor)}"
        if len(link) <= _LIMIT:
            return link
    return url


def usable(url: str | None) -> bool:
    """Whether Discord takes the link for a button."""
    return bool(url and len(url) <= _LIMIT and re.fullmatch(ADDRESS, url))


def unique_anchor(quotation: str, text: str) -> str | None:
    """The shortest beginning of the quotation's first line that occurs once in the text."""
    first = quotation.strip().split("\n")[0]
    for length in range(min(_SHORTEST, len(first)), min(_LONGEST, len(first)) + 1):
        anchor = first[:length]
        if anchor == anchor.strip() and text.count(anchor) == 1:
            return _to_word_end(anchor, first)
    return None


def _to_word_end(anchor: str, line: str) -> str:
    """Browsers match whole words: a Latin word at the end is taken to its end."""
    rest = re.match(r"[A-Za-z0-9]*", line[len(anchor) :])
    return anchor + rest[0] if rest and re.search(r"[A-Za-z0-9]$", anchor) else anchor


def _encoded(anchor: str) -> str:
    # A dash, comma or ampersand would have a meaning in the fragment.
    return quote(anchor, safe="").replace("-", "%2D")
