"""The trained reader becomes the shipped folder: one int8 ONNX graph and its settings.

    python -m training.export_reader --weights reader.safetensors --vocabulary vocab.txt --out DIR

The vocabulary is the embedding's, and is not copied: the settings hold its digest.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import load_file

from training.export_embedding import LAYERS, WIDTH, Array, Graph

NAME = "youju-reader-zh"
MAX_TOKENS = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    export(load_file(options.weights), options.vocabulary, options.out)


def export(weights: dict[str, Array], vocabulary: Path, out: Path) -> None:
    """Write `model.onnx` and `youju.json` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    bert = {n.removeprefix("bert."): v for n, v in weights.items() if n.startswith("bert.")}
    head = weights["head.weight"], weights["head.bias"]
    onnx.save(ReaderGraph(bert, *head).model(), out / "model.onnx")
    settings = {
        "name": NAME,
        "max_tokens": MAX_TOKENS,
        "likeness": round(float(weights["likeness"]), 5),
        "vocabulary": hashlib.sha256(vocabulary.read_bytes()).hexdigest(),
        "bytes": {"model.onnx": (out / "model.onnx").stat().st_size},
    }
    (out / "youju.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


class ReaderGraph(Graph):
    """BERT with kinds of tokens, its last vectors, and three numbers for each token."""

    def __init__(self, weights: dict[str, Array], head: Array, bias: Array) -> None:
        super().__init__(weights, MAX_TOKENS)
        self._head, self._bias = head, bias

    def model(self) -> onnx.ModelProto:
        """`ids`, `kinds`, `mask` (batch x tokens, int32) to `hidden` and `head`."""
        hidden = self._embed()
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
        self._constant("head.w", self._head.T.astype(np.float32).copy())
        self._constant("head.b", self._bias.astype(np.float32))
        self._node("MatMul", [hidden, "head.w"], "head.raw")
        self._node("Add", ["head.raw", "head.b"], "head")
        self._node("Identity", [hidden], "hidden")
        shape = ["batch", "tokens"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT32, shape)
            for name in ("ids", "kinds", "mask")
        ]
        outputs = [
            helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [*shape, WIDTH]),
            helper.make_tensor_value_info("head", TensorProto.FLOAT, [*shape, 3]),
        ]
        graph = helper.make_graph(self._nodes, NAME, inputs, outputs, self._constants)
        versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _normed(self, source: str, name: str, result: str) -> str:
        """The only plain normalisation is that of the embeddings, where the kinds come in."""
        kinds = self._weights["embeddings.token_type_embeddings.weight"]
        self._constant("kind_rows", (kinds - kinds[:1]).astype(np.float32))
        self._node("Gather", ["kind_rows", "kinds"], "kind_vectors")
        self._node("Add", [source, "kind_vectors"], "with_kinds")
        return super()._normed("with_kinds", name, result)


if __name__ == "__main__":
    main()
