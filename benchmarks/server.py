"""The embedded store beside a Chroma server: building, asking, fetching, following, failing.

    python -m benchmarks.server --passages 1000 10000 --home /dev/shm/server

Made articles, vectors that no model encoded (benchmarks.made). Starts `chroma run` on loopback.
Prints one JSON object a size.
"""

import argparse
import json
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.made import Projected, fill_cache, texts, write_articles
from rag.build import build_service
from rag.embed import load_embedder
from rag.generation import Generation
from rag.ingest import reindex
from rag.settings import Settings
from tests.chroma_server import ChromaServer

_QUESTIONS = 200
_PER_ARTICLE = 10


def measure(home: Path, passages: int) -> dict[str, object]:
    """All figures of one size."""
    embedder = load_embedder("")
    corpus, articles = home / "corpus", passages // _PER_ARTICLE
    write_articles(corpus, None, articles)
    server = ChromaServer(home / "chroma")
    server.start()
    own = _settings(home, "own", "")
    shared = _settings(home, "one", server.url)
    for settings in (own, shared):
        found = fill_cache(corpus, settings.data_dir, embedder, settings.passage_chars)
    asked = [Projected(embedder).embed_query(text[:40]) for text in texts(None, _QUESTIONS)]
    try:
        told: dict[str, object] = {"passages": found}
        told["build_s"] = {"embedded": _built(own), "server": _built(shared)}
        told["nearest_ms"] = {"embedded": _asked(own, asked), "server": _asked(shared, asked)}
        told["files_mb"] = _megabytes(home / "one" / "servers")
        told["server_mb"] = _megabytes(home / "chroma")
        told |= _on_another_machine(home, shared, server)
        return told
    finally:
        server.kill()


def _on_another_machine(home: Path, builder: Settings, server: ChromaServer) -> dict[str, object]:
    service = build_service(_settings(home, "two", server.url))
    with closing(service):
        told: dict[str, object] = {"fetch_s": _took(lambda: service.store.current())}
        with service.store.lease() as generation:
            generation.warm()
            before = generation.name
        report = reindex(builder, full=True)
        began = time.monotonic()
        while (now := service.store.current()) is None or now.name != report.generation:
            time.sleep(0.01)
        told["follow_s"] = round(time.monotonic() - began, 2)
        assert before != report.generation
        told["retrieve_ms"] = _retrieved(service, 30)
        server.kill()
        told["first_question_without_server_s"] = _took(lambda: service.search("山水", 5))
        told["retrieve_without_server_ms"] = _retrieved(service, 30)
        return told


def _settings(home: Path, name: str, url: str) -> Settings:
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        corpus_dir=home / "corpus",
        data_dir=home / name,
        chroma_url=url,
        canary_tolerance=1,
    )


def _built(settings: Settings) -> float:
    return _took(lambda: reindex(settings, full=True))


def _took(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return round(time.monotonic() - began, 2)


def _asked(settings: Settings, asked: list[NDArray[np.float32]]) -> dict[str, float]:
    service = build_service(settings)
    with closing(service), service.store.lease() as generation:
        generation.warm()
        return _percentiles([_nearest(generation, vector) for vector in asked])


def _nearest(generation: Generation, vector: NDArray[np.float32]) -> float:
    began = time.perf_counter()
    generation.nearest(vector, 50)
    return time.perf_counter() - began


def _retrieved(service: "object", count: int) -> dict[str, float]:
    seconds = []
    for text in texts(None, count):
        began = time.perf_counter()
        service.search(text[:30], 5)  # type: ignore[attr-defined]
        seconds.append(time.perf_counter() - began)
    return _percentiles(seconds)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    p50, p95 = 1000 * np.percentile(seconds, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


def _megabytes(folder: Path) -> float:
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6, 1)


def main() -> None:
    """Measure each size in a folder of its own, removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    for passages in given.passages:
        home = given.home / str(passages)
        try:
            print(json.dumps(measure(home, passages)), flush=True)
        finally:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
