"""Question and passage read together: the shipped reader, and cross-encoders by name."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import opencc
import pytest

from corpus.article import Article, Passage
from rag.cross_reader import (
    SHIPPED,
    PairReader,
    ReaderModel,
    ReadSentence,
    TransformerReader,
    UnknownReader,
    load_reader,
)
from rag.errors import BrokenModel, UnknownModel
from rag.lexical import LexicalIndex
from rag.read import LinearReader
from rag.result import Hit

REPOSITORY = Path(__file__).resolve().parents[2]
CAKE = (
    "這家麵包店一九八七年在台南開張。老闆原本是造船廠的工人。"
    "他因為腰受了傷，沒辦法再做粗活，才改行學做麵包。現在店裡每天賣出四百個菠蘿麵包。"
)
RIVER = "这条河全长三百二十公里。上游水流很急。每年八月，河水会淹没两岸的农田。"
WHY = "老闆為什麼不做原來的工作了？"


def hits_of(*texts: str) -> tuple[list[Hit], LexicalIndex]:
    """Hits in the order given, and the index over them."""
    articles = {f"a{n}": Article(f"a{n}", f"a{n}", "", text) for n, text in enumerate(texts)}
    passages = [Passage(n, n, 0, 0, len(a.text), a.text) for n, a in articles.items()]
    hits = [Hit(p, articles[p.id], 1.0 - 0.1 * n) for n, p in enumerate(passages)]
    return hits, LexicalIndex.build(articles, passages)


@pytest.fixture(scope="module")
def reader() -> TransformerReader:
    return TransformerReader()


def test_the_sentence_that_answers_comes_first(reader: TransformerReader) -> None:
    hits, index = hits_of(CAKE, RIVER)

    best = reader.read(WHY, hits, index)[0]

    assert "腰受了傷" in best.text


def test_every_sentence_of_every_passage_is_there_once(reader: TransformerReader) -> None:
    hits, index = hits_of(CAKE, RIVER, CAKE + RIVER, RIVER + CAKE)

    found = reader.read(WHY, hits, index)

    spans = [(s.hit.passage.id, s.start, s.end) for s in found]
    linear = LinearReader().read(WHY, hits, index)
    assert sorted(spans) == sorted((s.hit.passage.id, s.start, s.end) for s in linear)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


def test_three_passages_are_read_and_the_fourth_is_not(reader: TransformerReader) -> None:
    hits, index = hits_of(CAKE, RIVER, CAKE + RIVER, RIVER + CAKE)

    found = reader.read(WHY, hits, index)

    assert {s.hit.passage.id for s in found if isinstance(s, ReadSentence)} == {"a0", "a1", "a2"}


def test_both_scripts_get_the_same_scores(reader: TransformerReader) -> None:
    convert = opencc.OpenCC("t2s").convert
    hits, index = hits_of(CAKE, RIVER)
    simplified, _ = hits_of(convert(CAKE), RIVER)

    one = reader.read(WHY, hits, index)
    other = reader.read(convert(WHY), simplified, index)

    assert [s.score for s in one] == pytest.approx([s.score for s in other], abs=1e-4)


def test_a_passage_that_answers_is_likelier_than_one_that_does_not(
    reader: TransformerReader,
) -> None:
    hits, index = hits_of(CAKE, RIVER)

    found = [s for s in reader.read(WHY, hits, index) if isinstance(s, ReadSentence)]

    said = {s.hit.passage.id: s.passage_says for s in found}
    assert said["a0"] > said["a1"] + 1


@pytest.mark.parametrize(
    "text", ["", " ", "?", "猫", "很" * 4_000, "a" * 5_000, "字。" * 900, "🙂\n\n🙂"]
)
def test_odd_passages_have_a_finite_score(reader: TransformerReader, text: str) -> None:
    hits, index = hits_of(text, CAKE)

    found = reader.read(WHY, hits, index)

    assert all(abs(sentence.score) < 1_000 for sentence in found)


@pytest.mark.parametrize("question", ["", "？", "為" * 3_000])
def test_odd_questions_are_read(reader: TransformerReader, question: str) -> None:
    hits, index = hits_of(CAKE)

    assert len(reader.read(question, hits, index)) == 4


def test_nothing_found_is_nothing_read(reader: TransformerReader) -> None:
    _, index = hits_of(CAKE)

    assert reader.read(WHY, [], index) == []


def test_a_long_passage_is_read_to_its_end() -> None:
    model = ReaderModel()
    filler = "".join(f"第{n}天大家都在河邊散步，天氣很好，沒有發生別的事情。" for n in range(40))

    ((scores, _),) = model.says(WHY, [filler + CAKE])

    assert len(scores) == 44
    assert scores.argmax() == 42


def test_threads_share_one_reader() -> None:
    fresh = TransformerReader()
    hits, index = hits_of(CAKE, RIVER)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fresh.read(WHY, hits, index)[0].score, range(16)))

    assert found == pytest.approx([found[0]] * 16, abs=1e-4)


def test_reading_imports_no_torch() -> None:
    program = (
        "import sys\n"
        "from rag.cross_reader import ReaderModel\n"
        "ReaderModel().says('誰？', ['他是王先生。'])\n"
        "sys.exit('torch' in sys.modules or 'sentence_transformers' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY).returncode == 0


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped folder that a test may damage."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "reader"))


def test_a_shortened_model_file_is_named(copied: Path) -> None:
    path = copied / "model.onnx"
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(BrokenModel, match="bytes"):
        ReaderModel(copied).says("誰？", ["他。"])


def test_a_garbled_model_file_is_named(copied: Path) -> None:
    path = copied / "model.onnx"
    path.write_bytes(b"\x00" * path.stat().st_size)

    with pytest.raises(BrokenModel, match="model.onnx"):
        ReaderModel(copied).says("誰？", ["他。"])


@pytest.mark.parametrize("settings", ["{}", "not json", '{"max_tokens": 256}'])
def test_damaged_settings_are_named(copied: Path, settings: str) -> None:
    (copied / "youju.json").write_text(settings, encoding="utf-8")

    with pytest.raises(BrokenModel, match="youju.json"):
        ReaderModel(copied)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel):
        TransformerReader(tmp_path / "nowhere")


def test_another_vocabulary_is_refused(copied: Path, tmp_path: Path) -> None:
    other = tmp_path / "vocab.txt"
    other.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", encoding="utf-8")

    with pytest.raises(BrokenModel, match=r"vocab\.txt"):
        ReaderModel(copied, other).says("誰？", ["他。"])


def test_the_shipped_folder_is_small_and_described() -> None:
    settings = json.loads((SHIPPED / "youju.json").read_text(encoding="utf-8"))

    assert (SHIPPED / "model.onnx").stat().st_size == settings["bytes"]["model.onnx"]
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 30_000_000
    assert (SHIPPED / "README.md").stat().st_size > 1_000


def test_none_is_the_linear_reader() -> None:
    assert isinstance(load_reader("none"), LinearReader)
    assert isinstance(load_reader(""), TransformerReader)


@pytest.fixture(scope="module")
def tiny_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random cross-encoder in real sentence-transformers form."""
    return _cross_encoder(tmp_path_factory.mktemp("pairs"), labels=1)


def _cross_encoder(folder: Path, labels: int) -> Path:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*marks, *"老闆麵包河水"]), encoding="utf-8")
    config = BertConfig(
        vocab_size=11,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=labels,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_cross_encoder_by_folder_ranks_the_sentences(tiny_pairs: Path) -> None:
    hits, index = hits_of(CAKE, RIVER, CAKE + RIVER, RIVER + CAKE)

    found = load_reader(str(tiny_pairs)).read(WHY, hits, index)

    assert isinstance(load_reader(str(tiny_pairs)), PairReader)
    assert len(found) == 21
    assert {s.hit.passage.id for s in found[-7:]} == {"a3"}


def test_an_unknown_cross_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="YOUJU_RERANK_MODEL"):
        load_reader(str(tmp_path / "nowhere"))


def test_a_classifier_of_three_classes_is_no_reader(tmp_path: Path) -> None:
    with pytest.raises(UnknownReader, match="3 scores"):
        load_reader(str(_cross_encoder(tmp_path, labels=3)))
