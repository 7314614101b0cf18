"""Kills builders and readers at random moments, fills the disk, and looks at what is left.

    python -m tests.kill_builder --kills 200 --readers 50 --home /dev/shm/kills
    python -m tests.kill_builder --kills 0 --readers 0 --full 50 --home /dev/shm/full  # as root

Every process is forked from this one, which has imported everything and opened nothing, so that a
builder lives for half a second; which of its moments is hit is chance. After each kill the old or
the new articles must be served, whole; the next reindex must succeed by itself and leave nothing
behind. Prints one JSON object; exit code 1 when a state was bad.
"""

import argparse
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import bm25s  # noqa: F401 - these are imported before the first fork
import chromadb.api.rust  # noqa: F401
import llama_index.vector_stores.chroma  # noqa: F401

from corpus import read, split  # noqa: F401
from rag import rebuild as rebuilding
from rag.fold import fold
from rag.generations import GenerationStore
from rag.index_text import dense_text
from rag.lexical import LexicalIndex  # noqa: F401
from rag.order import Order
from rag.result import Listener
from rag.settings import Settings
from rag.terms import load_terms
from tests.rag.tiny_index import HashEmbedder

_ARTICLES = 6
_DISK = 64 * 1024 * 1024
_NEEDED = 2_500_000  # bytes; a build of these articles takes a little less


@dataclass
class Tally:
    """What was done, and what went wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    readers: int = 0
    full: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    grown: float = 0.0  # bytes after a reindex, over those after the first


class World:
    """A few small articles and their index, changed a little each time."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home, self.chance = home, random.Random(seed)
        self.data, self.corpus = home / "data", home / "corpus"
        self.version = 0
        shutil.rmtree(home, ignore_errors=True)
        self.corpus.mkdir(parents=True)
        for number in range(_ARTICLES):
            self._write(number)

    def change(self) -> None:
        """Rewrite an article; now and then one goes or comes back."""
        self.version += 1
        number = self.version % _ARTICLES
        path = self.corpus / f"{number}.md"
        if self.chance.random() < 0.25 and path.exists():
            path.unlink()
        else:
            self._write(number)

    def order(self) -> Order:
        settings = Settings(
            _env_file=None, corpus_dir=self.corpus, data_dir=self.data, canary_tolerance=1
        )
        return Order.of(settings, full=self.chance.random() < 0.1)

    def state(self) -> str:
        """What the articles say."""
        return "".join(p.read_text("utf-8") for p in sorted(self.corpus.iterdir()))

    def size(self) -> int:
        return sum(p.stat().st_size for p in self.data.rglob("*") if p.is_file())

    def _write(self, number: int) -> None:
        paragraphs = (
            f"## 第 {part} 節\n\n第 {number} 篇第 {part} 段，第 {self.version} 版，"
            f"說的是第 {number * 7 + part} 件事，和別的都不一樣。"
            for part in range(4)
        )
        text = f"# 第 {number} 篇\n\n" + "\n\n".join(paragraphs)
        (self.corpus / f"{number}.md").write_text(text, encoding="utf-8")


def run(home: Path, kills: int, readers: int, seed: int = 1) -> Tally:
    """Kill so many builders and readers over a fresh index."""
    world, tally = World(home, seed), Tally()
    load_terms()
    fold("貓")
    _succeeds(world, tally)
    first = world.size()
    world.change()
    lasted = _timed(lambda: _ended(_fork(lambda: build(world.order(), True, lambda _: None))))
    while sum(tally.kills.values()) < kills and not tally.bad:
        old = world.state()
        world.change()
        stage = _killed_builder(world, world.chance.uniform(0.0, 1.1 * lasted))
        if stage is None:
            continue  # it was done before
        tally.kills[stage] += 1
        _succeeds(world, tally, {old, world.state()})
        tally.grown = max(tally.grown, world.size() / first)
    while tally.readers < readers and not tally.bad:
        _killed_reader(world, tally, world.chance.uniform(0.0, 1.3 * lasted))
    return tally


def run_full(home: Path, times: int, seed: int = 1) -> Tally:
    """Let the disk, a small one of its own, run full at a random point of a build so many times."""
    home.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(home)]
    subprocess.run(mount, check=True)
    try:
        world, tally = World(home / "world", seed), Tally()
        _succeeds(world, tally)
        _succeeds(world, tally)
        while sum(tally.full.values()) < times and not tally.bad:
            _filled(world, tally)
        return tally
    finally:
        subprocess.run(["umount", str(home)], check=True)


def _filled(world: World, tally: Tally) -> None:
    old = world.state()
    world.change()
    ballast = world.home / "ballast"
    free = shutil.disk_usage(world.home).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, round(free - world.chance.uniform(4096, _NEEDED)))
    order, copied = world.order(), world.chance.random() < 0.6
    failed = _ended(_fork(lambda: build(order, copied, lambda _: None), quiet=True))
    ballast.unlink()
    tally.full["failed" if failed else "fitted"] += 1
    _succeeds(world, tally, {old, world.state()})


def _killed_builder(world: World, after: float) -> str | None:
    """Kill a builder after so many seconds; the stage it was in, None when it had ended."""
    ours, its = os.pipe()
    order, copied = world.order(), world.chance.random() < 0.6

    def work() -> None:
        build(order, copied, lambda step: os.write(its, f"{step.stage} ".encode()))  # type: ignore

    pid = _fork(work)
    os.close(its)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    told = b""
    while select.select([ours], [], [], 0)[0] and (part := os.read(ours, 65536)):
        told += part
    os.close(ours)
    if not os.WIFSIGNALED(status):
        return None
    return told.decode().split()[-1] if told else "start"


def build(order: Order, copied: bool, tell: Listener) -> None:
    """Carry out an order in this process, by a model that takes no time."""
    rebuilding.load_embedder = lambda _: HashEmbedder()  # type: ignore[assignment]
    if copied:  # so few passages would be built afresh
        rebuilding._FEW, rebuilding._MUCH, rebuilding._CHURN = 0, 3.0, 1000.0
    rebuilding.rebuild(order, tell)


def _succeeds(world: World, tally: Tally, before: set[str] | None = None) -> None:
    """A reindex that nobody disturbs must bring the index up to the articles and tidy up.

    Before it, what serves must be one of some states.
    """
    order, after = world.order(), {world.state()}

    def work() -> None:
        if before is not None:
            check(world.data, before)
        build(order, True, lambda _: None)
        check(world.data, after)

    if _ended(_fork(work)):
        tally.bad.append(f"after {sum(tally.kills.values())} kills")
    left = [p.name for p in (world.data / "generations").iterdir()]
    if len(left) > 2 or any(name.startswith(".") for name in left):
        tally.bad.append(f"left behind: {left}")


def _killed_reader(world: World, tally: Tally, after: float) -> None:
    """Kill a process that reads while a builder switches; both its files must be let go."""
    reader = _fork(lambda: _read_on(world.data))
    world.change()
    order = world.order()
    builder = _fork(lambda: build(order, True, lambda _: None))
    time.sleep(after)
    os.kill(reader, signal.SIGKILL)
    os.waitpid(reader, 0)
    if _ended(builder):
        tally.bad.append("a builder failed beside a killed reader")
    tally.readers += 1
    world.change()
    _succeeds(world, tally)


def check(data: Path, allowed: set[str]) -> None:
    """What serves must be one of the allowed states, every passage findable by both legs."""
    store, embedder = GenerationStore(data), HashEmbedder()
    with store.lease() as generation:
        passages = list(generation.content.all_passages())
        articles = [generation.content.article(a.id) for a in generation.content.articles()]
        served = "".join("".join(a.text.split()) for a in articles)
        states = {"".join(state.replace("#", "").split()) for state in allowed}
        assert served in states, f"{generation.name} serves something else"
        assert len(generation.lexical) == generation.vectors() == len(passages)
        for row, passage in enumerate(passages):
            text = dense_text(generation.content.article(passage.article_id), passage)
            found = generation.nearest(embedder.embed_query(text), 1)
            assert found, f"row {row} finds nothing"
            assert found[0][1] > 0.999, f"row {row} does not find itself: {found}"
            assert generation.lexical.scores(passage.text).ngrams[row] > 0
    store.close()


def _read_on(data: Path) -> None:
    store, vector = GenerationStore(data), HashEmbedder().embed_query("第 1 篇")
    while True:
        with store.lease() as generation:
            assert generation.nearest(vector, 3)


def _fork(work: Callable[[], None], quiet: bool = False) -> int:
    pid = os.fork()
    if pid == 0:
        _carry_out(work, quiet)
    return pid


def _carry_out(work: Callable[[], None], quiet: bool) -> NoReturn:
    try:
        work()
    except BaseException as error:
        if not quiet or isinstance(error, AssertionError):
            traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _ended(pid: int) -> int:
    return os.waitpid(pid, 0)[1]


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--full", type=int, default=0, help="times the disk runs full; needs root")
    parser.add_argument("--home", type=Path, default=Path("/dev/shm/youju-kills"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    if given.full:
        tally = run_full(given.home, given.full, given.seed)
    else:
        tally = run(given.home, given.kills, given.readers, given.seed)
    shutil.rmtree(given.home, ignore_errors=True)
    told = {
        "builders_killed": sum(tally.kills.values()),
        "by_stage": dict(tally.kills),
        "readers_killed": tally.readers,
        "full_disks": dict(tally.full),
        "bad_states": tally.bad,
        "size_over_first": round(tally.grown, 2),
        "seconds": round(time.monotonic() - began),
    }
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
