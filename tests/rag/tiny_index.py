"""Generations of a few passages, built in this process with real Chroma and a hashing embedder."""

import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from corpus.article import Article, Heading, Passage
from rag.assemble import Material, Origin, Vectors, embed_all, seal, write_generation
from rag.cache import EmbeddingCache
from rag.generations import GenerationStore
from rag.result import Progress


class HashEmbedder:
    """Counts of character pairs, hashed to 64 dimensions: alike texts have near vectors."""

    name, dimensions, fingerprint = "hash", 64, "hash-1"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for at in range(len(text) - 1):
                code = zlib.crc32(text[at : at + 2].encode())
                vectors[row, code % self.dimensions] += 1 if code & 1024 else -1
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return vectors

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed_passages([text])[0]
        return vector


def article(name: str, *paragraphs: str) -> Article:
    """An article with a heading and one passage for each paragraph."""
    text = "\n\n".join(("標題", *paragraphs))
    return Article(
        id=name, path=f"{name}.md", title=name, text=text, headings=(Heading(1, "標題", 0, 2),)
    )


def passages_of(article: Article) -> list[Passage]:
    found, start = [], 4
    for number, text in enumerate(article.text.split("\n\n")[1:]):
        end = start + len(text)
        ident = f"{article.id}#{number}"
        found.append(Passage(ident, article.id, number, start, end, text, ("標題",)))
        start = end + 2
    return found


def publish(store: GenerationStore, *articles: Article) -> str:
    """Build a generation of these articles and let it serve; its name."""
    passages = [p for article in articles for p in passages_of(article)]
    material = Material({article.id: article for article in articles}, passages)
    with closing(EmbeddingCache(store.data_dir / "embeddings.sqlite")) as cache:
        vectors, _ = embed_all(material, HashEmbedder(), cache, _unheard)
    origin = Origin(store.shelf.serving(), "", {"model": "hash-1"}, ())
    with store.shelf.staging() as staged:
        write_generation(staged, material, vectors, _unheard, terms_from=Path("none"))
        seal(staged, origin, material, vectors, "hash")
        return store.shelf.publish(staged)


def _unheard(_: Progress) -> None:
    return
