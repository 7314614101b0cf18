"""The folders of the three shipped models: whatever is damaged in one is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rag import embed, passage_reader, word_reader
from rag.embed import ShippedModel
from rag.errors import BrokenModel
from rag.passage_reader import PassageReader
from rag.read import Reader
from rag.word_reader import WordReader
from tests.rag.test_word_reader import CAKE, WHY, hits_of

Use = Callable[[Path], object]


def read_with(reader: Reader) -> object:
    return reader.read(WHY, *hits_of(CAKE))


MODELS: dict[Path, tuple[Use, Use]] = {
    embed.SHIPPED: (ShippedModel, lambda folder: ShippedModel(folder).embed_query("猫")),
    word_reader.SHIPPED: (WordReader, lambda folder: read_with(WordReader(folder))),
    passage_reader.SHIPPED: (PassageReader, lambda folder: read_with(PassageReader(folder))),
}
FILES = [
    (shipped, name)
    for shipped in MODELS
    for name in json.loads((shipped / "youju.json").read_text("utf-8"))["bytes"]
]
each_model = pytest.mark.parametrize("shipped", MODELS, ids=lambda folder: folder.name)
each_file = pytest.mark.parametrize(("shipped", "name"), FILES, ids=lambda part: Path(part).name)


@pytest.fixture
def copied(shipped: Path, tmp_path: Path) -> Path:
    """A copy of a shipped folder that a test may damage."""
    return Path(shutil.copytree(shipped, tmp_path / "model"))


@each_model
def test_an_undamaged_copy_is_used(shipped: Path, copied: Path) -> None:
    _, use = MODELS[shipped]

    assert use(copied) is not None


@each_file
def test_a_shortened_file_is_named(shipped: Path, copied: Path, name: str) -> None:
    _, use = MODELS[shipped]
    (copied / name).write_bytes((copied / name).read_bytes()[:-10])

    with pytest.raises(BrokenModel, match=rf"{name} has [\d,]+ bytes"):
        use(copied)


@each_file
def test_a_file_full_of_zeros_is_named(shipped: Path, copied: Path, name: str) -> None:
    _, use = MODELS[shipped]
    (copied / name).write_bytes(bytes((copied / name).stat().st_size))

    with pytest.raises(BrokenModel, match=name):
        use(copied)


@each_file
def test_a_missing_file_is_named(shipped: Path, copied: Path, name: str) -> None:
    _, use = MODELS[shipped]
    (copied / name).unlink()

    with pytest.raises(BrokenModel, match=f"{name} is missing"):
        use(copied)


@each_model
@pytest.mark.parametrize("settings", ["{}", "not json", '{"weights": {}}', "[]", '{"bytes": {}}'])
def test_damaged_settings_are_named_when_it_is_made(
    shipped: Path, copied: Path, settings: str
) -> None:
    make, _ = MODELS[shipped]
    (copied / "youju.json").write_text(settings, encoding="utf-8")

    with pytest.raises(BrokenModel, match=r"youju\.json"):
        make(copied)


@pytest.mark.parametrize("shipped", [word_reader.SHIPPED, passage_reader.SHIPPED])
def test_a_missing_weight_is_named_when_it_is_made(shipped: Path, copied: Path) -> None:
    make, _ = MODELS[shipped]
    path = copied / "youju.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    lost, _ = settings["weights"].popitem()
    path.write_text(json.dumps(settings), encoding="utf-8")

    with pytest.raises(BrokenModel, match=lost):
        make(copied)


@pytest.mark.parametrize("shipped", [word_reader.SHIPPED, passage_reader.SHIPPED])
@pytest.mark.parametrize("weight", ["0.7", None, [1]])
def test_a_weight_that_is_no_number_is_named(shipped: Path, copied: Path, weight: object) -> None:
    make, _ = MODELS[shipped]
    path = copied / "youju.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    name = next(iter(settings["weights"]))
    settings["weights"][name] = weight
    path.write_text(json.dumps(settings), encoding="utf-8")

    with pytest.raises(BrokenModel, match=f"{name}.*no number"):
        make(copied)


@pytest.mark.parametrize("shipped", [word_reader.SHIPPED, passage_reader.SHIPPED])
def test_weights_that_are_no_object_are_named(shipped: Path, copied: Path) -> None:
    make, _ = MODELS[shipped]
    path = copied / "youju.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | {"weights": None}), encoding="utf-8")

    with pytest.raises(BrokenModel, match="no object"):
        make(copied)


@each_model
def test_a_missing_folder_is_named_when_it_is_made(shipped: Path, tmp_path: Path) -> None:
    make, _ = MODELS[shipped]

    with pytest.raises(BrokenModel, match="nowhere"):
        make(tmp_path / "nowhere")


@pytest.mark.parametrize("shipped", [word_reader.SHIPPED, passage_reader.SHIPPED])
def test_a_reader_made_for_another_vocabulary_is_refused(shipped: Path, copied: Path) -> None:
    _, use = MODELS[shipped]
    path = copied / "youju.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"vocabulary": "0" * 64}
    path.write_text(json.dumps(settings), encoding="utf-8")

    with pytest.raises(BrokenModel, match=r"vocab\.txt"):
        use(copied)
