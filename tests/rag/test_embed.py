"""Text becomes vectors: the shipped model, and any sentence-transformers model."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.embed import SHIPPED, SentenceTransformerModel, ShippedModel, load_embedder
from rag.errors import UnknownModel
from rag.wordpieces import WordPieces

REPOSITORY = Path(__file__).resolve().parents[2]
TEXTS = [
    "强化学习是机器学习的一个分支，强调智能体在环境中的行动。",
    "今天晚上吃什么？冰箱里只剩下两个鸡蛋和一把青菜。",
    "How do I reset the password of my account?",
    "猫",
]


@pytest.fixture(scope="module")
def shipped() -> ShippedModel:
    return ShippedModel()


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of 100,000 weights in real sentence-transformers form."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*marks, *"abc强化学习猫狗"]), encoding="utf-8")
    config = BertConfig(
        vocab_size=14,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    transformer = Transformer(str(folder))
    pooling = Pooling(transformer.get_embedding_dimension())
    saved = tmp_path_factory.mktemp("saved")
    prompts = {"query": "a ", "document": ""}
    SentenceTransformer(modules=[transformer, pooling], prompts=prompts).save(str(saved))
    return saved


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped folder that a test may damage."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "model"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("强化学习", ["强化学习"]),
        ("强化学", ["强化", "学"]),
        ("化强", ["化", "[UNK]"]),
        ("playing play", ["play", "##ing", "play"]),
        ("played", ["[UNK]"]),
        ("学，plày。", ["学", ",", "play", "[UNK]"]),
    ],
)
def test_the_longest_word_is_cut_first(text: str, pieces: list[str]) -> None:
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ","]
    cutter = WordPieces([*marks, "化", "学", "强化", "强化学习", "play", "##ing"])

    assert [cutter.tokens[number] for number in cutter.ids(text)] == pieces


def test_vectors_have_the_promised_shape_and_length_one(shipped: ShippedModel) -> None:
    passages = shipped.embed_passages(TEXTS)
    query = shipped.embed_query(TEXTS[0])

    assert passages.shape == (len(TEXTS), shipped.dimensions)
    assert query.shape == (shipped.dimensions,)
    assert passages.dtype == query.dtype == np.float32
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-4)


def test_nothing_to_embed_is_no_rows(shipped: ShippedModel) -> None:
    assert shipped.embed_passages([]).shape == (0, shipped.dimensions)


@pytest.mark.parametrize("text", ["", " ", "\n", "�", "🙂", "𠮷" * 10_000, "a" * 10_000])
def test_odd_text_still_has_a_vector(shipped: ShippedModel, text: str) -> None:
    assert np.isfinite(shipped.embed_query(text)).all()


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("強化學習是什麼？", "强化学习是什么？"),
        ("這個模型為什麼會裝笨", "这个模型为什么会装笨"),
        ("ＧＰＴ－４很聰明", "GPT-4很聪明"),
    ],
)
def test_both_scripts_of_a_sentence_meet(
    shipped: ShippedModel, traditional: str, simplified: str
) -> None:
    assert shipped.embed_query(traditional) @ shipped.embed_query(simplified) > 0.99


def test_a_question_is_nearest_to_the_passage_of_its_subject(shipped: ShippedModel) -> None:
    passages = shipped.embed_passages(TEXTS)

    for question, gold in [("什麼是強化學習", 0), ("晚餐要煮什麼", 1), ("忘記密碼怎麼辦", 2)]:
        assert int(np.argmax(passages @ shipped.embed_query(question))) == gold


def test_the_company_in_a_batch_hardly_changes_a_vector(shipped: ShippedModel) -> None:
    alone = np.stack([shipped.embed_query(text) for text in TEXTS])

    assert ((alone * shipped.embed_passages(TEXTS)).sum(axis=1) > 0.98).all()


def test_threads_share_one_model() -> None:
    model = ShippedModel()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(model.embed_query, TEXTS * 8))

    assert all(np.array_equal(a, b) for a, b in zip(found, found[len(TEXTS) :], strict=False))


def test_sentence_transformers_reads_the_shipped_folder(shipped: ShippedModel) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(SHIPPED), trust_remote_code=True, local_files_only=True)

    assert model.get_embedding_dimension() == shipped.dimensions
    agreement = (model.encode(TEXTS) * shipped.embed_passages(TEXTS)).sum(axis=1)
    assert (agreement >= 0.99).all()


def test_the_shipped_model_starts_without_torch() -> None:
    program = (
        "import sys; from rag.embed import load_embedder; load_embedder().embed_query('猫');"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_random_bert_loads_by_its_folder(tiny_bert: Path) -> None:
    model = load_embedder(str(tiny_bert))

    assert isinstance(model, SentenceTransformerModel)
    assert model.dimensions == 32
    assert model.embed_passages([]).shape == (0, 32)
    assert model.embed_passages(["猫", "狗"]).shape == (2, 32)
    assert np.isclose(np.linalg.norm(model.embed_query("学习")), 1, atol=1e-5)


def test_questions_and_passages_use_their_own_prompts(tiny_bert: Path) -> None:
    model = SentenceTransformerModel(str(tiny_bert))

    assert not np.allclose(model.embed_query("猫"), model.embed_passages(["猫"])[0])


def test_another_fingerprint_for_other_weights(tiny_bert: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(tiny_bert, tmp_path / "bert"))
    weights = bytearray((changed / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (changed / "model.safetensors").write_bytes(weights)

    before = SentenceTransformerModel(str(tiny_bert)).fingerprint.partition("@")[2]
    assert SentenceTransformerModel(str(changed)).fingerprint.partition("@")[2] != before


@pytest.mark.parametrize("name", ["no-such/model", "no-such-model", "./no/such/folder", "/"])
def test_an_unknown_name_is_said_plainly(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(UnknownModel, match="YOUJU_EMBED_MODEL"):
        load_embedder(name)


def test_a_folder_of_our_form_is_read_as_ours(copied: Path) -> None:
    assert isinstance(load_embedder(str(copied)), ShippedModel)
