"""What grows with the number of passages: building, changing, disk, memory, answering.

    python -m benchmarks.scale --home /dev/shm/scale --news NEWS.jsonl.gz --articles 10000
    python -m benchmarks.scale --home /dev/shm/scale --articles 10000  # made: 100,000 passages

The vectors come from a projection (see `benchmarks.made`) and stand in the embedding cache; what
encoding would cost is measured on a sample. Prints one JSON object.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.made import fill_cache, texts, write_articles
from rag.build import build_service
from rag.cache import EmbeddingCache, key_of
from rag.embed import load_embedder
from rag.entries import Entries, metadata_of
from rag.filling import fill, writable
from rag.generation import Generation
from rag.generations import GenerationStore
from rag.index_text import dense_text
from rag.ingest import reindex
from rag.rebuild import CACHE
from rag.settings import Settings

_QUESTIONS = 300
_ENCODED = 64  # passages of the sample that is really encoded


def settings_of(home: Path) -> Settings:
    return Settings(
        _env_file=None,
        corpus_dir=home / "corpus",
        data_dir=home / "data",
        reindex_deadline=6 * 3600,
    )


def measure(home: Path, news: Path | None, articles: int) -> dict[str, Any]:
    """Build, build again, change one article, ask; then what bare encoding and adding take."""
    settings = settings_of(home)
    write_articles(settings.corpus_dir, news, articles)
    fill_cache(settings.corpus_dir, settings.data_dir, load_embedder(""), settings.passage_chars)
    full, built = _timed(lambda: reindex(settings))
    generation = settings.data_dir / "generations" / built.generation
    told: dict[str, Any] = {"articles": articles, "passages": built.passages, "full_s": full}
    told["builder_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)
    told["disk_mb"] = round(sum(p.stat().st_size for p in generation.rglob("*")) / 1e6)
    told["unchanged_s"], _ = _timed(lambda: reindex(settings))
    path = sorted(settings.corpus_dir.rglob("*.md"))[articles // 2]
    path.write_text(path.read_text("utf-8") + "\n\n這一篇多了一段，別的都沒有變。\n", "utf-8")
    told["one_changed_s"], changed = _timed(lambda: reindex(settings))
    told["one_changed_embedded"] = changed.embedded
    told |= _asked(home, news, articles)
    told |= _bare(home)
    told["encode_s"] = round(told["encode_ms_each"] * built.passages / 1000, 1)
    told["full_over_bare"] = round(
        (full + told["encode_s"]) / (told["bare_adds_s"] + told["encode_s"]), 2
    )
    told["full_over_adds"] = round(full / told["bare_adds_s"], 2)
    told["one_changed_over_full"] = round(told["one_changed_s"] / full, 3)
    told["load"] = round(os.getloadavg()[0], 1)
    return told


def _asked(home: Path, news: Path | None, articles: int) -> dict[str, Any]:
    """In a process of its own, as a bot: memory after the questions, and their times."""
    arguments = ["--home", str(home), "--articles", str(articles), "--ask"]
    if news is not None:
        arguments += ["--news", str(news)]
    command = [sys.executable, "-m", "benchmarks.scale", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ask(home: Path, news: Path | None, articles: int) -> dict[str, Any]:
    """Ask for stretches of the texts themselves."""
    asked = [t.strip()[10:34] or "新聞" for t in texts(news, min(articles, 5000))]
    asked = asked[:: max(1, len(asked) // _QUESTIONS)][:_QUESTIONS]
    with closing(build_service(settings_of(home))) as service:
        began = time.perf_counter()
        service.ask("第一個問題是什麼？")
        first = time.perf_counter() - began
        seconds, busy = [], time.process_time()
        for question in asked:
            began = time.perf_counter()
            service.ask(question)
            seconds.append(time.perf_counter() - began)
        busy = (time.process_time() - busy) / len(asked)
        with service.store.lease() as generation:
            legs = _legs(generation, service.embedder.embed_query(asked[0]), asked[0])
        p50, p95 = 1000 * np.percentile(seconds, [50, 95])
        return {
            "first_ask_ms": round(1000 * first),
            "ask_p50_ms": round(float(p50), 1),
            "ask_p95_ms": round(float(p95), 1),
            "ask_cpu_ms": round(1000 * busy, 1),
            **legs,
            "reader_mb": _resident(),
        }


def _legs(generation: Generation, vector: Any, question: str) -> dict[str, float]:
    vectors = [_timed(lambda: generation.nearest(vector, 50))[0] for _ in range(50)]
    words = [_timed(lambda: generation.lexical.scores(question))[0] for _ in range(50)]
    return {
        "vectors_ms": round(1000 * float(np.median(vectors)), 2),
        "words_ms": round(1000 * float(np.median(words)), 2),
    }


def _resident() -> int:
    """Megabytes that this process holds of its own or has mapped, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1e6)


def _bare(home: Path) -> dict[str, Any]:
    """Chroma's adds of the same entries, and encoding of a sample, with nothing of ours around."""
    settings = settings_of(home)
    with closing(GenerationStore(settings.data_dir)) as store, store.lease() as generation:
        passages = list(generation.content.all_passages())
        articles = {p.article_id: generation.content.article(p.article_id) for p in passages}
    text_of = [dense_text(articles[p.article_id], p) for p in passages]
    embedder = load_embedder("")
    with closing(EmbeddingCache(settings.data_dir / CACHE)) as cache:
        keys = [key_of(embedder.fingerprint, text) for text in text_of]
        known = cache.get_many(list(dict.fromkeys(keys)))
    vectors = np.stack([known[key] for key in keys])
    metadata = [metadata_of(articles[p.article_id], p) for p in passages]
    made = Entries([p.id for p in passages], vectors, metadata)

    def entries(rows: Any) -> Entries:
        span = slice(rows[0], rows[-1] + 1)
        return Entries(made.ids[span], made.vectors[span], made.metadata[span])

    with writable(home / "bare") as collection:
        adds, _ = _timed(lambda: fill(collection, range(len(vectors)), entries, lambda _: None))
    shutil.rmtree(home / "bare")
    sample = text_of[:: max(1, len(text_of) // _ENCODED)][:_ENCODED]
    embedder.embed_query("暖")
    encoding, _ = _timed(lambda: embedder.embed_passages(sample))
    return {"bare_adds_s": adds, "encode_ms_each": round(1000 * encoding / len(sample), 1)}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = work()
    return round(time.perf_counter() - began, 4), done


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--news", type=Path)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        told = ask(given.home, given.news, given.articles)
    else:
        shutil.rmtree(given.home, ignore_errors=True)
        told = measure(given.home, given.news, given.articles)
        shutil.rmtree(given.home)
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
