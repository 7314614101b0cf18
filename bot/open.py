"""A Service for one command, indexed first when there is nothing to answer from."""

from collections.abc import Iterator
from contextlib import contextmanager

from rag.build import build_service
from rag.service import Service
from rag.settings import Settings


@contextmanager
def opened(settings: Settings, *, index: bool = True) -> Iterator[Service]:
    """Open a Service and close it; a first question on a fresh data directory indexes by itself."""
    service = build_service(settings)
    try:
        if index and (reason := service.index_needed()):
            from bot.show import err, indexing, show_failed

            err.print(f"{reason} Indexing {settings.corpus_dir} …")
            with indexing() as bar:
                report = service.reindex(progress=bar)
            show_failed(report.articles.failed, err)
        yield service
    finally:
        service.close()
