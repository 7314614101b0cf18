"""The trained reader becomes the shipped folder: one int8 ONNX graph and its settings.

    python -m training.export_reader --weights FILE... --out DIR

The same fused int8 nodes as the embedding's (training.export_embedding), with the second token
type for the passage; instead of a vector, three columns for each token (training.cross_network).
Weights of the whole reader, fitted by training.fit_reader, are kept when the folder has them.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from rag.passage_reader import LIMIT, paired
from rag.wordpieces import WordPieces
from training.cross_network import CrossNetwork
from training.export_embedding import LAYERS, SAMPLES, SHIPPED, Graph, divisors, mean_weights

Array = NDArray[np.float32]

NAME = "youju-passage-reader"
QUESTIONS = ("强化学习是什么?", "孩子发烧要看医生吗?", "how do i reset it?", "他哪年出生?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, nargs="+", help="mean of these")
    parser.add_argument("--vocabulary", type=Path, default=SHIPPED / "vocab.txt")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    weights = mean_weights(options.weights)
    largest = large_channels(weights, options.vocabulary)
    onnx.save(ReaderGraph(weights, largest, LIMIT).model(), options.out / "model.onnx")
    describe(options.out, options.vocabulary)


def describe(out: Path, vocabulary: Path) -> None:
    """Write the settings; fitted weights that are there already stay."""
    path = out / "youju.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    model = (out / "model.onnx").read_bytes()
    settings = {
        "name": NAME,
        "fingerprint": hashlib.sha256(model).hexdigest()[:16],
        "vocabulary": hashlib.sha256(vocabulary.read_bytes()).hexdigest(),
        "bytes": {"model.onnx": len(model)},
        "weights": known.get("weights", {}),
    }
    path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def large_channels(weights: dict[str, Array], vocabulary: Path) -> dict[str, Array]:
    """For each product with large channels: what to divide its input's channels by."""
    tokens = vocabulary.read_text(encoding="utf-8").splitlines()
    network, cutter = CrossNetwork(len(tokens)).eval(), WordPieces(tokens)
    network.load_state_dict({n: torch.from_numpy(w) for n, w in weights.items()})
    pairs = [
        paired(cutter, cutter.ids(question), [cutter.ids(text)])
        for question in QUESTIONS
        for text in SAMPLES
    ]
    return divisors(network.bert, lambda: network(pairs))


class ReaderGraph(Graph):
    """BERT over pairs and its head: `ids`, `mask`, `types` to `columns` (batch x tokens x 3)."""

    def __init__(self, weights: dict[str, Array], divisors: dict[str, Array], tokens: int) -> None:
        body = {n.removeprefix("bert."): w for n, w in weights.items() if n.startswith("bert.")}
        super().__init__(body, divisors, tokens)
        self._head = {n: w for n, w in weights.items() if n.startswith("head.")}

    def model(self) -> onnx.ModelProto:
        hidden = self._embed()
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
        self._constant("head.w", self._head["head.weight"].T.copy())
        self._constant("head.b", self._head["head.bias"])
        self._node("MatMul", [hidden, "head.w"], "head.product")
        self._node("Add", ["head.product", "head.b"], "columns")
        shape = ["batch", "tokens"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT32, shape)
            for name in ("ids", "mask", "types")
        ]
        outputs = [helper.make_tensor_value_info("columns", TensorProto.FLOAT, [*shape, 3])]
        return self._checked(NAME, inputs, outputs)

    def _summed(self) -> str:
        """Words, places and token types."""
        words = super()._summed()
        types = self._weights["embeddings.token_type_embeddings.weight"]
        self._constant("type_rows", (types - types[:1]).astype(np.float32))  # places hold the first
        self._node("Gather", ["type_rows", "types"], "typed")
        self._node("Add", [words, "typed"], "summed_typed")
        return "summed_typed"


if __name__ == "__main__":
    main()
