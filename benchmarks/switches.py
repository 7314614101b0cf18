"""Questions from four threads while the index is rebuilt and switched again and again.

    python -m benchmarks.switches --questions 10000 --switches 20 --home /dev/shm/switches

Every passage says which version of the articles it belongs to, so that an answer that mixes two
generations gives itself away. The event loop ticks beside, as the bot's does. Prints one JSON
object; exit code 1 when a question failed or mixed.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rag.build import build_service
from rag.result import Answer
from rag.service import Service
from rag.settings import Settings

_THREADS = 4
_TICK = 0.005  # seconds between two turns of the loop
_ARTICLES = 30
_SUBJECTS = "貓狗鳥魚山水風雨花草書車橋門窗筆紙字茶米鹽糖布鐘燈鏡梯橘梨桃"
_VERSION = re.compile(r"第 (\d+) 版")


@dataclass
class Heard:
    """What came of the questions of one phase."""

    seconds: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    generations: set[str] = field(default_factory=set)

    def told(self) -> dict[str, object]:
        p50, p95, p99 = 1000 * np.percentile(self.seconds, [50, 95, 99])
        return {
            "questions": len(self.seconds),
            "errors": len(self.errors),
            "mixed": len(self.mixed),
            "generations": len(self.generations),
            "p50_ms": round(p50, 1),
            "p95_ms": round(p95, 1),
            "p99_ms": round(p99, 1),
            "loop_stall_ms": {
                "p99": round(1000 * float(np.percentile(self.stalls, 99)), 1),
                "most": round(1000 * max(self.stalls), 1),
            },
        }


def write_version(corpus: Path, version: int) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for number, subject in enumerate(_SUBJECTS[:_ARTICLES]):
        parts = (
            f"## 第 {part} 節\n\n{subject}的第 {part} 件事，第 {version} 版說，{subject}有"
            f"{number + part} 種，最常見的是第 {version} 版裡的第 {part} 種{subject}。"
            for part in range(3)
        )
        text = f"# {subject}\n\n" + "\n\n".join(parts)
        (corpus / f"{number:02}.md").write_text(text, encoding="utf-8")


async def phase(service: Service, going: threading.Event, questions: int) -> Heard:
    """Ask from threads, at least so many and for as long as something is going on."""
    heard, asked = Heard(), iter(range(10**9))
    ticking = asyncio.create_task(_tick(heard))
    with ThreadPoolExecutor(_THREADS) as pool:
        loop = asyncio.get_running_loop()
        work = [
            loop.run_in_executor(pool, _ask, service, heard, asked, going, questions)
            for _ in range(_THREADS)
        ]
        await asyncio.gather(*work)
    ticking.cancel()
    return heard


def _ask(
    service: Service, heard: Heard, asked: Iterator[int], going: threading.Event, questions: int
) -> None:
    while (number := next(asked)) < questions or going.is_set():
        subject = _SUBJECTS[number % _ARTICLES]
        began = time.perf_counter()
        try:
            answer = service.ask(f"{subject}最常見的是哪一種？")
        except Exception as error:
            heard.errors.append(f"{type(error).__name__}: {error}")
            continue
        heard.seconds.append(time.perf_counter() - began)
        heard.generations.add(answer.generation)
        if len(_versions(answer)) > 1:
            heard.mixed.append(answer.generation)


def _versions(answer: Answer) -> set[str]:
    """The versions that the hits, the citations and the text of an answer speak of."""
    told = [hit.passage.text for hit in answer.hits] + [c.quote for c in answer.citations]
    return {version for text in (*told, answer.text) for version in _VERSION.findall(text)}


async def _tick(heard: Heard) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK)
        heard.stalls.append(time.perf_counter() - began - _TICK)


def _rebuild(service: Service, corpus: Path, switches: int, going: threading.Event) -> list[float]:
    took = []
    try:
        for version in range(1, switches + 1):
            write_version(corpus, version)
            took.append(service.reindex().seconds)
    finally:
        going.clear()
    return took


async def measure(home: Path, questions: int, switches: int) -> dict[str, object]:
    corpus = home / "corpus"
    write_version(corpus, 0)
    settings = Settings(
        _env_file=None, corpus_dir=corpus, data_dir=home / "data", rerank_model="none"
    )
    service = build_service(settings)
    service.reindex()
    going = threading.Event()
    await phase(service, going, 50)  # warm
    rest = await phase(service, going, questions // 5)
    going.set()
    building = asyncio.create_task(asyncio.to_thread(_rebuild, service, corpus, switches, going))
    builds = await phase(service, going, questions)
    took = await building
    rest_again = await phase(service, going, questions // 5)
    kept = len([*(home / "data" / "generations").iterdir()])
    service.close()
    rest.seconds += rest_again.seconds
    rest.stalls += rest_again.stalls
    ratio = np.percentile(builds.seconds, 95) / np.percentile(rest.seconds, 95)
    return {
        "rest": rest.told(),
        "builds": builds.told() | {"switches": len(took), "build_s": round(np.median(took), 1)},
        "p95_ratio": round(float(ratio), 2),
        "generations_kept": kept,
        "load": [round(x, 1) for x in os.getloadavg()],
        "bad": builds.errors[:3] + builds.mixed[:3] + rest.errors[:3],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--switches", type=int, default=20)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    shutil.rmtree(given.home, ignore_errors=True)
    told = asyncio.run(measure(given.home, given.questions, given.switches))
    shutil.rmtree(given.home)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 1 if told["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
