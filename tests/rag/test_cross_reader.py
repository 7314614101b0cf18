"""Which reader: the shipped one, the linear one, or a cross-encoder by name."""

from pathlib import Path

import pytest

from rag.cross_reader import PairReader, UnknownReader, load_reader
from rag.errors import UnknownModel
from rag.passage_reader import PassageReader
from rag.read import LinearReader
from tests.rag.test_word_reader import CAKE, RIVER, WHY, hits_of


def test_none_is_the_linear_reader() -> None:
    assert isinstance(load_reader("none"), LinearReader)
    assert isinstance(load_reader(""), PassageReader)


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
    assert len(found) == 4 + 3 + 7 + 7
    assert {s.hit.passage.id for s in found[-7:]} == {"a3"}


def test_an_unknown_cross_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="YOUJU_RERANK_MODEL"):
        load_reader(str(tmp_path / "nowhere"))


def test_a_classifier_of_three_classes_is_no_reader(tmp_path: Path) -> None:
    with pytest.raises(UnknownReader, match="3 scores"):
        load_reader(str(_cross_encoder(tmp_path, labels=3)))
