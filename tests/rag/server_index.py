"""Generations of a few passages on a real Chroma server, built here or in a process of their own.

`python -m tests.rag.server_index DATA_DIR URL DATABASE LEASE` builds one, stops before it is
published and says so on stdout; a line on stdin lets it go on. With `forever` behind it builds one
after another, and says the name of each.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpus.article import Article
from rag.assemble import Material, Origin, seal, write_generation
from rag.chroma_address import Address
from rag.result import Progress
from rag.server_shelf import ServerShelf
from tests.rag.tiny_index import HashEmbedder, article, passages_of

CATS = article("cats", "貓會抓老鼠，也會爬樹。", "貓喜歡在太陽下睡覺。", "貓怕水，所以不洗澡。")
DOGS = article("dogs", "狗會看門，也會牧羊。", "狗喜歡跑步和游泳。")
BIRDS = article("birds", "鳥有翅膀，會飛。", "鳥在樹上築巢。")


def publish_on(shelf: ServerShelf, *articles: Article, then: Callable[[], Any] = int) -> str:
    """Build a generation and let it serve; `then` is called when all but the switch is done."""
    with shelf.builder_lock("the test"), staged_on(shelf, *articles) as staged:
        then()
        name = shelf.publish(staged)
        shelf.clean()
        return name


@contextmanager
def staged_on(shelf: ServerShelf, *articles: Article) -> Iterator[Path]:
    """A generation that lacks nothing but being published."""
    passages = [p for article in articles for p in passages_of(article)]
    material = Material({article.id: article for article in articles}, passages)
    vectors = HashEmbedder().embed_passages(material.dense_texts())
    shelf.mend()
    origin = Origin(shelf.serving(), "", {"model": "hash-1"}, ())
    shelf.clean_half_built()
    with shelf.staging() as staged:
        to = shelf.collection(staged, len(passages))
        write_generation(staged, material, vectors, _unheard, Path("none"), to)
        seal(staged, origin, material, vectors, "hash")
        yield staged


def _unheard(_: Progress) -> None:
    return


def _wait() -> None:
    print("staged", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    data_dir, url, database, seconds, *forever = sys.argv[1:]
    there = Address(url, database=database)
    opened = ServerShelf(there, Path(data_dir), lease=float(seconds))
    while forever:
        print(publish_on(opened, CATS, DOGS), flush=True)
    print(publish_on(opened, CATS, then=_wait), flush=True)
    opened.close()
