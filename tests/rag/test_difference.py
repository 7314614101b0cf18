"""A copied and changed generation answers as one that was built afresh, to the last bit."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from rag import rebuild as rebuilding
from rag.assemble import Vectors
from rag.counts import Counts
from rag.errors import BuilderFailed
from rag.generation import Generation
from rag.generations import GenerationStore
from rag.order import Order
from rag.rebuild import rebuild
from rag.result import Progress, ReindexReport
from rag.retrieve import Retriever
from rag.settings import Settings
from tests.rag.tiny_index import HashEmbedder

WORDS = "貓狗鳥魚山水風雨花草書車學校老師模型資料結果方法時間問題答案研究實驗城市音樂電影"
ARTICLES = 40


class Projected(HashEmbedder):
    """Turned by a random matrix: hardly two passages are equally near to a question.

    Where some are, at the end of what the vectors' leg brings, a graph takes any of them.
    """

    name, fingerprint = "projected", "projected-1"
    _turn = np.random.default_rng(5).standard_normal((64, 64)).astype(np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        # One at a time: some processors round a product of many rows otherwise than that of one.
        vectors = np.stack([vector @ self._turn for vector in super().embed_passages(texts)])
        turned: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return turned


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that takes no time, and copying from the first passage on."""
    monkeypatch.setattr(rebuilding, "load_embedder", lambda _: Projected())
    monkeypatch.setattr(rebuilding, "_FEW", 0)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(ARTICLES):
        write(folder, number, seed=number)
    return folder


def write(folder: Path, number: int, seed: int) -> None:
    chance = random.Random(seed)
    paragraphs = [
        f"## 第 {part} 節\n\n" + "".join(chance.choices(WORDS, k=chance.randint(40, 160))) + "。"
        for part in range(chance.randint(1, 4))
    ]
    text = f"# 第 {number} 篇\n\n" + "\n\n".join(paragraphs)
    (folder / f"{number:03}.md").write_text(text, encoding="utf-8")


def change(folder: Path, chance: random.Random) -> None:
    """Rewrite, add or remove a few articles, anywhere in the order."""
    for _ in range(chance.randint(1, 3)):
        number, what = chance.randrange(ARTICLES + 10), chance.random()
        path = folder / f"{number:03}.md"
        if what < 0.3 and path.exists():
            path.unlink()
        else:
            write(folder, number, seed=chance.randrange(10**6))


def built(corpus: Path, data: Path, *, full: bool = False) -> ReindexReport:
    settings = Settings(_env_file=None, corpus_dir=corpus, data_dir=data)
    return rebuild(Order.of(settings, full=full), unheard)


def unheard(_: Progress) -> None:
    return


@contextmanager
def opened(data: Path) -> Iterator[Generation]:
    with closing(GenerationStore(data)) as store, store.lease() as generation:
        yield generation


def questions(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(WORDS, k=chance.randint(2, 8))) for _ in range(60)]


def answers(generation: Generation, asked: list[str]) -> list[object]:
    retriever = Retriever(Projected())
    return [
        [(h.passage, h.score, h.lexical, h.dense) for h in retriever.retrieve(generation, q).hits]
        for q in asked
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_changes_a_copy_answers_as_what_is_built_afresh(
    tmp_path: Path, corpus: Path, seed: int
) -> None:
    chance = random.Random(seed)
    built(corpus, tmp_path / "copied")
    for _ in range(3):
        change(corpus, chance)
        built(corpus, tmp_path / "copied")
    built(corpus, tmp_path / "fresh")
    asked = questions(chance)

    with opened(tmp_path / "copied") as copied, opened(tmp_path / "fresh") as fresh:
        assert copied.manifest.churn > 0 == fresh.manifest.churn
        assert copied.content.articles() == fresh.content.articles()
        assert list(copied.content.all_passages()) == list(fresh.content.all_passages())
        assert answers(copied, asked) == answers(fresh, asked)


def test_what_was_deleted_does_not_come_back(tmp_path: Path, corpus: Path) -> None:
    built(corpus, tmp_path / "data")
    with opened(tmp_path / "data") as before:
        gone = [p for p in before.content.all_passages() if p.article_id == "005"]
    (corpus / "005.md").unlink()

    built(corpus, tmp_path / "data")

    with opened(tmp_path / "data") as after:
        assert after.manifest.churn == len(gone) > 0
        vector = Projected().embed_query(gone[0].text)
        every = after.nearest(vector, len(after.content))
        assert sorted(row for row, _ in every) == list(range(len(after.content)))


def test_a_large_change_or_much_churn_is_built_afresh(tmp_path: Path, corpus: Path) -> None:
    built(corpus, tmp_path / "data")
    churns = []
    for start in range(0, 14, 2):
        for number in (start, start + 1):
            write(corpus, number, seed=1000 + number)
        built(corpus, tmp_path / "data")
        with opened(tmp_path / "data") as generation:
            churns.append(generation.manifest.churn)
    for number in range(ARTICLES):
        write(corpus, number, seed=2000 + number)
    built(corpus, tmp_path / "data")

    assert churns[0] > 0
    assert 0 in churns[1:]
    with opened(tmp_path / "data") as generation:
        assert generation.manifest.churn == 0


def test_a_copy_that_fails_is_built_afresh(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    built(corpus, tmp_path / "data")
    monkeypatch.setattr("rag.assemble.take_out", lambda *_: None)  # what is gone stays
    write(corpus, 7, seed=99)

    report = built(corpus, tmp_path / "data")

    assert "built afresh" in caplog.text
    assert report.articles.changed == ("007.md",)
    with opened(tmp_path / "data") as generation:
        assert generation.manifest.churn == 0


def test_a_fresh_graph_that_misses_neighbours_serves_and_says_so(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pass_over(monkeypatch, 2)

    report = built(corpus, tmp_path / "data")

    assert "only 80 % of the nearest passages are found" in caplog.text
    with opened(tmp_path / "data") as generation:
        assert generation.name == report.generation
        assert generation.manifest.nearest == pytest.approx(0.8, abs=0.02)


def test_a_copied_graph_that_misses_what_the_fresh_one_found_is_built_afresh(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    built(corpus, tmp_path / "data")
    write(corpus, 7, seed=99)
    pass_over(monkeypatch, 2)

    built(corpus, tmp_path / "data")

    assert "are not found" in caplog.text
    assert "built afresh" in caplog.text
    with opened(tmp_path / "data") as generation:
        assert generation.manifest.churn == 0
        assert generation.manifest.nearest == pytest.approx(0.8, abs=0.02)


def test_a_copied_graph_that_finds_what_the_fresh_one_found_serves(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pass_over(monkeypatch, 2)
    built(corpus, tmp_path / "data")
    write(corpus, 7, seed=99)

    built(corpus, tmp_path / "data")

    assert "built afresh" not in caplog.text
    with opened(tmp_path / "data") as generation:
        assert generation.manifest.churn > 0
        assert generation.manifest.nearest == pytest.approx(0.8, abs=0.02)


def test_a_fresh_graph_that_misses_most_does_not_serve(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = built(corpus, tmp_path / "data")
    pass_over(monkeypatch, 6)

    with pytest.raises(BuilderFailed, match="passages are not found"):
        built(corpus, tmp_path / "data", full=True)

    with opened(tmp_path / "data") as generation:
        assert generation.name == before.generation


@pytest.mark.parametrize("full", [True, False], ids=["fresh", "copied"])
def test_a_vector_that_is_another_passages_does_not_serve(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    before = built(corpus, tmp_path / "data")
    write(corpus, 7, seed=99)
    real = Generation.nearest
    monkeypatch.setattr(
        Generation, "nearest", lambda s, v, k: [(0, cosine) for _, cosine in real(s, v, k)]
    )

    with pytest.raises(BuilderFailed, match="a vector that is not its own"):
        built(corpus, tmp_path / "data", full=full)

    with opened(tmp_path / "data") as generation:
        assert generation.name == before.generation


def pass_over(monkeypatch: pytest.MonkeyPatch, missed: int) -> None:
    """A graph that finds a passage, but not so many of those nearest to it."""
    real = Generation.nearest

    def nearest(generation: Generation, vector: Vectors, k: int) -> list[tuple[int, float]]:
        found = real(generation, vector, k + missed)
        return found[:1] + found[1 + missed :]

    monkeypatch.setattr(Generation, "nearest", nearest)


def test_an_article_is_read_again_only_when_its_bytes_are_others(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(corpus, tmp_path / "data")
    read: list[str] = []
    from corpus import read as reading

    real = reading._article
    monkeypatch.setattr(reading, "_article", lambda s, shown: read.append(shown) or real(s, shown))
    write(corpus, 3, seed=77)

    report = built(corpus, tmp_path / "data")

    assert read == ["003.md"]
    assert (report.articles.changed, report.articles.unchanged) == (("003.md",), ARTICLES - 1)


def test_counts_by_hand() -> None:
    before = Counts.of([["a", "b", "a"], ["b"], ["c"]])

    after = before.changed(np.array([0, -1, 2]), 4, [(1, ["c", "d"]), (3, ["a"])])

    fresh = Counts.of([["a", "b", "a"], ["c", "d"], ["c"], ["a"]])
    for token, rows, counts in (("a", [0, 3], [2, 1]), ("b", [0], [1]), ("c", [1, 2], [1, 1])):
        for made in (after, fresh):
            number = made.vocabulary[token]
            span = slice(made.starts[number], made.starts[number + 1])
            assert made.rows[span].tolist() == rows
            assert made.counts[span].tolist() == counts
    assert after.lengths.tolist() == fresh.lengths.tolist() == [3, 2, 1, 1]


def test_names_of_what_was_deleted_are_unknown_again(tmp_path: Path, corpus: Path) -> None:
    asked = "船長在 Valparaiso 做了什麼？"
    (corpus / "named.md").write_text("# 航海記\n\n船長在 Valparaiso 上岸買鹽。\n", encoding="utf-8")
    built(corpus, tmp_path / "data")
    with opened(tmp_path / "data") as before:
        assert Retriever(Projected()).retrieve(before, asked).unknown == ()
    (corpus / "named.md").unlink()

    built(corpus, tmp_path / "data")

    with opened(tmp_path / "data") as after:
        assert after.manifest.churn > 0
        assert Retriever(Projected()).retrieve(after, asked).unknown == ("valparaiso",)
