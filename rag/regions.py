"""One question in the words of either region: 服务器 is 伺服器 in Taiwan, 打印 is 列印.

The two scripts fold into one (`rag.fold`), the words do not. OpenCC knows some hundreds of pairs.
Its own configurations for them load every phrase of Traditional Chinese first, which takes ten
times as long; a question to be searched for needs only the pairs, so these are loaded alone.
"""

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import opencc

from rag.fold import fold

Chain = tuple[tuple[str, ...], ...]  # names of dictionaries, those of each step

_DICTIONARIES = Path(opencc.__file__).parent / "clib" / "share" / "opencc"
_TO_TRADITIONAL = ("STPhrases_GeneratedFromRegionalPhrases", "STCharacters")
_TO_TAIWAN: Chain = (_TO_TRADITIONAL, ("TWPhrases",))
_TO_MAINLAND: Chain = (_TO_TRADITIONAL, ("TWPhrasesRev",))
# Its own ones, where a release names its dictionaries otherwise or nothing can be written.
_WHOLE: dict[Chain, tuple[str, ...]] = {_TO_TAIWAN: ("s2twp",), _TO_MAINLAND: ("s2t", "tw2sp")}


def wordings(question: str) -> tuple[str, ...]:
    """A question, folded, in Taiwan's words and in the Mainland's; once where they are the same."""
    folded = fold(question)
    found = (_worded(folded, chain) for chain in (_TO_TAIWAN, _TO_MAINLAND))
    return tuple(dict.fromkeys(found))


def _worded(folded: str, chain: Chain) -> str:
    for converter in _converters(chain):
        folded = converter.convert(folded)
    return fold(folded)


@lru_cache(maxsize=2)
def _converters(chain: Chain) -> tuple[opencc.OpenCC, ...]:
    try:
        with tempfile.TemporaryDirectory(prefix="youju-") as folder:
            path = Path(folder) / "words.json"
            path.write_text(json.dumps(_configuration(chain)), encoding="utf-8")
            return (opencc.OpenCC(str(path)),)
    except (OSError, RuntimeError):
        return tuple(map(opencc.OpenCC, _WHOLE[chain]))


def _configuration(chain: Chain) -> dict[str, Any]:
    """The form of OpenCC's own: a text is cut where a dictionary says, then converted in steps."""
    return {
        "name": "words of one region",
        "segmentation": {"type": "mmseg", "dict": _dictionary(_TO_TRADITIONAL[0])},
        "conversion_chain": [
            {
                "dict": {
                    "type": "group",
                    "match_policy": "short_circuit",
                    "dicts": [_dictionary(name) for name in names],
                }
            }
            for names in chain
        ],
    }


def _dictionary(name: str) -> dict[str, str]:
    return {"type": "ocd2", "file": str(_DICTIONARIES / f"{name}.ocd2")}
