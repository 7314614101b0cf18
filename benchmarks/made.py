"""Articles and vectors by the thousand: news texts when given, else made ones; never encoded.

The vectors are a projection of hashed character pairs, so that alike texts have near vectors and a
hundred thousand of them take seconds. They stand in the embedding cache as if the model had made
them; what encoding costs is measured apart, on a sample.
"""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.assemble import keys_of, split_all
from rag.cache import EmbeddingCache
from rag.embed import Embedder
from rag.rebuild import CACHE

_BUCKETS = 8192
_BATCH = 5000
_SYLLABLES = (
    "天地人山水火木金土日月星風雨雪雲花草鳥魚馬牛羊車船路橋門窗書筆紙字詞句文章問答學校老師"
    "研究實驗模型資料結果方法時間地點原因影響發展社會經濟政策市場公司產品技術系統網路安全風險"
    "健康醫療教育文化歷史藝術音樂電影運動比賽城市農村環境能源交通法律制度國家世界未來過去現在"
)


def texts(news: Path | None, count: int) -> Iterator[str]:
    """`count` texts: those of a gzipped JSON-lines file with `text`, then made ones."""
    found = 0
    if news is not None:
        with gzip.open(news, "rt", encoding="utf-8") as lines:
            for line in islice(lines, count):
                found += 1
                yield json.loads(line)["text"]
    for number in range(found, count):
        yield _made(number)


def write_articles(folder: Path, news: Path | None, count: int) -> None:
    """One Markdown file a text, a hundred to a folder."""
    for number, text in enumerate(texts(news, count)):
        path = folder / f"{number // 100:04}" / f"{number:06}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# 第 {number} 篇\n\n{text.strip() or '空'}\n", encoding="utf-8")


class Projected:
    """The shipped model's name and fingerprint with a projection in place of the model."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.fingerprint = embedder.fingerprint
        self._directions = np.random.default_rng(7).standard_normal(
            (_BUCKETS, self.dimensions), dtype=np.float32
        )

    def embed_passages(self, passages: Sequence[str]) -> NDArray[np.float32]:
        counts = np.zeros((len(passages), _BUCKETS), dtype=np.float32)
        for row, text in enumerate(passages):
            codes = np.array([ord(char) for char in text], dtype=np.int64)
            if len(codes) > 1:
                pairs = (codes[:-1] * 31337 + codes[1:]) % _BUCKETS
                counts[row] = np.sqrt(np.bincount(pairs, minlength=_BUCKETS))
        vectors = counts @ self._directions
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self.embed_passages([text])[0]


def fill_cache(corpus: Path, data_dir: Path, embedder: Embedder, passage_chars: int) -> int:
    """Put a vector for each passage of a folder into the cache; how many passages there are."""
    from corpus.read import read_folder

    material = split_all(read_folder(corpus)[0], passage_chars)
    keys, found = keys_of(material, embedder), material.dense_texts()
    data_dir.mkdir(parents=True, exist_ok=True)
    projected = Projected(embedder)
    with closing(EmbeddingCache(data_dir / CACHE)) as cache:
        for start in range(0, len(keys), _BATCH):
            vectors = projected.embed_passages(found[start : start + _BATCH])
            cache.put_many(dict(zip(keys[start : start + _BATCH], vectors, strict=True)))
    return len(keys)


def _made(number: int) -> str:
    """About ten passages of random sentences."""
    chance = random.Random(number)
    paragraphs = []
    for _ in range(10):
        lengths = (chance.randint(8, 30) for _ in range(12))
        paragraphs.append("".join("".join(chance.choices(_SYLLABLES, k=n)) + "。" for n in lengths))
    return "\n\n".join(paragraphs)
