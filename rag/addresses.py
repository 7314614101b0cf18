"""Addresses in a text, whose words are those of their subject and yet say nothing of it."""

import re

from rag.metadata_questions import metadata_asked

ADDRESS = r"https?://[!-~]+"
BARE_ADDRESS = re.compile(r"\W*(?:\[?\d*\]?)?\s*https?://\S+\s*")
_ADDRESS = re.compile(ADDRESS, re.IGNORECASE)
_LAST = re.compile(rf"{ADDRESS}\Z", re.IGNORECASE)
_PATH = re.compile(r"(?<=[^/:?#])[/?#].*")
_LATIN = re.compile(r"[a-z0-9]+")
_FEW_WORDS = 24  # characters beside the addresses of a passage: "References:", "[1]"


def without_paths(text: str) -> str:
    """The text with spaces for what follows the host in each address; offsets stay one to one.

    Who holds a page may be worth finding; the name of the page is met by every question about it.
    """
    return _ADDRESS.sub(lambda found: _blanked(found.group()), text)


def as_read(folded_passage: str, folded_question: str) -> str:
    """The passage without the paths of its addresses, unless the question is about an address."""
    return folded_passage if asks_address(folded_question) else without_paths(folded_passage)


def asks_address(folded_question: str) -> bool:
    """Whether a question asks for an address, or about one that it holds."""
    return "url" in metadata_asked(folded_question) or bool(_ADDRESS.search(folded_question))


def has_address(text: str) -> bool:
    """Whether an address stands in a text."""
    return bool(_ADDRESS.search(text))


def ends_in_address(text: str) -> bool:
    """Whether an address is the last of a text, and would take in what is written behind it."""
    return bool(_LAST.search(text))


def share_in_addresses(folded_question: str, folded_passage: str) -> float:
    """The share of a question's Latin words and numbers that stand in addresses of a passage."""
    asked = set(_LATIN.findall(folded_question))
    there = set(_LATIN.findall(" ".join(_ADDRESS.findall(folded_passage))))
    return len(asked & there) / len(asked) if asked else 0.0


def only_links(text: str) -> bool:
    """Whether next to nothing stands in a text beside addresses."""
    beside = _ADDRESS.sub("", text)
    return beside != text and sum(char.isalnum() for char in beside) < _FEW_WORDS


def _blanked(address: str) -> str:
    return _PATH.sub(lambda found: " " * len(found.group()), address, count=1)
