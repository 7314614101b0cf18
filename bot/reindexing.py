"""`youju reindex`: once, or again and again while someone writes."""

import threading

from bot.flags import print_json
from bot.forms import refused_form, reindex_form
from bot.show import complain, err, indexing, show_report, show_worse
from rag.errors import CanaryFell, YoujuError
from rag.service import Service
from rag.watch import changes_of


def reindex_once(
    service: Service, *, dry_run: bool = False, full: bool = False, force: bool = False,
    as_json: bool = False,
) -> None:  # fmt: skip
    """Reindex and print the report. A refused switch prints its questions, and is raised."""
    try:
        with indexing() as bar:
            report = service.reindex(dry_run=dry_run, full=full, force=force, progress=bar)
    except CanaryFell as error:
        if as_json:
            print_json(refused_form(error))
        else:
            show_worse(error.worse)
        raise
    if as_json:
        print_json(reindex_form(report))
    else:
        show_report(report)


def reindex_and_watch(service: Service, *, full: bool, force: bool, as_json: bool) -> None:
    """Reindex now and after every change, until Ctrl-C. What fails is told, and watched on."""
    folder, data_dir = service.settings.corpus_dir, service.settings.data_dir
    _tried(service, full=full, force=force, as_json=as_json)
    err.print(f"Watching {folder}; Ctrl-C ends it.")
    for changed in changes_of(folder, data_dir, threading.Event()):
        err.print(f"{changed} file{'s' if changed > 1 else ''} changed.")
        _tried(service, full=False, force=force, as_json=as_json)


def _tried(service: Service, *, full: bool, force: bool, as_json: bool) -> None:
    try:
        reindex_once(service, full=full, force=force, as_json=as_json)
    except YoujuError as error:
        complain(str(error))
