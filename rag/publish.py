"""A generation is staged, verified and asked the golden questions; then it serves."""

import logging
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.assemble import Material, Origin, Vectors, seal, write_generation
from rag.difference import Difference
from rag.full_disk import told_plainly
from rag.generation import Generation
from rag.manifest import write_manifest
from rag.result import ArticleChanges, Progress, Worse
from rag.scene import Scene
from rag.verify import GOOD, verify

_log = logging.getLogger(__name__)


def stage_and_publish(
    scene: Scene,
    found: ArticleChanges,
    material: Material,
    vectors: Vectors,
    change: Difference | None,
) -> tuple[str, tuple[Worse, ...]]:
    """Stage a generation, whole or as a change of the one before, verify it and let it serve.

    Its name, and the golden questions that got a little worse.
    """
    shelf, tell, root = scene.shelf, scene.tell, Path(scene.order.corpus_dir)
    parent = scene.before.name if scene.before is not None else None
    # Told before the staged files are removed: afterwards the disk is not full any more.
    with shelf.staging() as staged, told_plainly(Path(scene.order.data_dir)):
        size, copied = len(material.passages), change.before.name if change else None
        collection = shelf.collection(staged, size, copied)
        write_generation(staged, material, vectors, tell, root, collection, change)
        origin = Origin(parent, scene.stamp, scene.fingerprints, found.failed, *_graph(change))
        seal(staged, origin, material, vectors, scene.embedder.name)
        with closing(shelf.open_staged(staged)) as generation:
            share = verify(generation, material, vectors, tell, change)
            if change is None:
                _note(staged, generation, share)
            worse = _asked_golden(scene, generation)
        tell(Progress("switch", 0, 1))
        return shelf.publish(staged), worse


def _graph(change: Difference | None) -> tuple[int, float]:
    """What the manifest says of the graph: its churn, and what it found when it was fresh."""
    return (change.churn, change.before.manifest.nearest) if change else (0, 1.0)


def _note(staged: Path, generation: Generation, share: float) -> None:
    """Keep in the manifest what a fresh graph finds, and tell when that is little."""
    write_manifest(staged, replace(generation.manifest, nearest=round(share, 4)))
    if share < GOOD:
        _log.warning(
            "By their vectors only %.0f %% of the nearest passages are found; words find the rest.",
            100 * share,
        )


def _asked_golden(scene: Scene, staged: Generation) -> tuple[Worse, ...]:
    """The golden questions that got worse; CanaryFell when they are too many and not forced."""
    order = scene.order
    if scene.before is None or order.canary_tolerance >= 1:
        return ()
    from rag.answer import Answerer
    from rag.canary import Canary, read_questions
    from rag.cross_reader import load_reader
    from rag.support import Support

    answerer = Answerer(load_reader(order.rerank_model), Support(), order.support)
    tolerance = 1.0 if order.force else order.canary_tolerance
    canary = Canary(answerer, scene.embedder, tolerance)
    return canary.compare(scene.before, staged, read_questions(Path(order.corpus_dir)))
