"""Trained weights become the shipped folder: one int8 ONNX graph, vocabulary and settings.

    python -m training.export_embedding --weights FILE.safetensors --vocabulary vocab.txt --out DIR

The graph is written node by node in onnxruntime's fused operators, so that loading needs no
optimiser: token numbers in, unit vectors out. All weights are int8, a scale for each token row
and for each output column; activations are quantised as they pass.
"""

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

Array = NDArray[np.float32]

LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
NAME = "youju-minilm-zh"
# Signed weights of 7 bits: on processors without VNNI the 8-bit product saturates.
LARGEST = 63
# What a folder holds besides the weights; kept by hand in the shipped folder.
SHIPPED = Path(__file__).parent.parent / "rag" / "models" / "default"
BY_HAND = ("modules.json", "config_sentence_transformers.json", "youju_module.py", "README.md")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weights", type=Path, required=True)
    arguments.add_argument("--vocabulary", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--max-tokens", type=int, default=256)
    options = arguments.parse_args()
    export(load_file(options.weights), options.vocabulary, options.out, options.max_tokens)


def export(weights: dict[str, Array], vocabulary: Path, out: Path, max_tokens: int) -> None:
    """Write the folder aside, then put it in place of `out`."""
    aside = out.with_name(out.name + ".new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in BY_HAND:
        shutil.copy(SHIPPED / name, aside / name)
    shutil.copy(vocabulary, aside / "vocab.txt")
    onnx.save(Graph(weights, max_tokens).model(), aside / "model.onnx")
    _describe(aside, max_tokens)
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.replace(out, old)
    os.replace(aside, out)
    shutil.rmtree(old, ignore_errors=True)


def _describe(folder: Path, max_tokens: int) -> None:
    files = {name: (folder / name).stat().st_size for name in ("model.onnx", "vocab.txt")}
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in files)).hexdigest()
    settings = {
        "name": NAME,
        "dimensions": WIDTH,
        "max_tokens": max_tokens,
        "fingerprint": digest[:16],
        "bytes": files,
    }
    (folder / "youju.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


class Graph:
    """BERT, mean pooling and length 1, as fused int8 nodes."""

    def __init__(self, weights: dict[str, Array], max_tokens: int) -> None:
        self._weights, self._max_tokens = weights, max_tokens
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        """The whole graph: `ids` and `mask` (batch x tokens, int32) to `vectors`."""
        hidden = self._embed()
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
        self._pool(hidden)
        shape = ["batch", "tokens"]
        inputs = [helper.make_tensor_value_info(n, TensorProto.INT32, shape) for n in ("ids", "mask")]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", WIDTH])]
        graph = helper.make_graph(self._nodes, NAME, inputs, outputs, self._constants)
        versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _embed(self) -> str:
        table = self._weights["embeddings.word_embeddings.weight"]
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8) / 127
        self._constant("rows", np.rint(table / scale).astype(np.int8))
        self._constant("row_scales", scale.astype(np.float32))
        fixed = self._weights["embeddings.position_embeddings.weight"]
        fixed = fixed + self._weights["embeddings.token_type_embeddings.weight"][:1]
        self._constant("positions", fixed[: self._max_tokens].astype(np.float16))
        self._node("Gather", ["rows", "ids"], "picked")
        self._node("Cast", ["picked"], "picked_float", to=TensorProto.FLOAT)
        self._node("Gather", ["row_scales", "ids"], "picked_scale")
        self._node("Mul", ["picked_float", "picked_scale"], "words")
        self._node("Shape", ["ids"], "length", start=1, end=2)
        self._constant("zero", np.array([0], np.int64))
        self._node("Slice", ["positions", "zero", "length"], "places")
        self._node("Cast", ["places"], "places_float", to=TensorProto.FLOAT)
        self._node("Add", ["words", "places_float"], "summed")
        return self._normed("summed", "embeddings.LayerNorm", "embedded")

    def _layer(self, at: str, hidden: str) -> str:
        names = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        parts = [f"{at}.q", f"{at}.k", f"{at}.v"]
        self._linear(f"{at}.qkv", hidden, weight, bias)
        self._nodes.append(helper.make_node("Split", [f"{at}.qkv"], parts, axis=-1))
        self._fused("MultiHeadAttention", [*parts, "", "mask"], f"{at}.mixed", num_heads=HEADS)
        self._named(f"{at}.attention.output.dense", f"{at}.mixed", f"{at}.attended")
        hidden = self._added(
            f"{at}.attended", hidden, f"{at}.attention.output.LayerNorm", f"{at}.middle"
        )
        self._named(f"{at}.intermediate.dense", hidden, f"{at}.wide")
        self._fused("Gelu", [f"{at}.wide"], f"{at}.active")
        self._named(f"{at}.output.dense", f"{at}.active", f"{at}.narrow")
        return self._added(f"{at}.narrow", hidden, f"{at}.output.LayerNorm", f"{at}.out")

    def _pool(self, hidden: str) -> None:
        self._constant("axis_one", np.array([1], np.int64))
        self._constant("axis_last", np.array([2], np.int64))
        self._node("Cast", ["mask"], "mask_float", to=TensorProto.FLOAT)
        self._node("Unsqueeze", ["mask_float", "axis_last"], "mask_wide")
        self._node("Mul", [hidden, "mask_wide"], "counted")
        # The direction of the sum is the direction of the mean, so the length divides out.
        self._node("ReduceSum", ["counted", "axis_one"], "total", keepdims=0)
        self._node("LpNormalization", ["total"], "vectors", axis=-1, p=2)

    def _named(self, name: str, source: str, result: str) -> None:
        weights = self._weights
        self._linear(result, source, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def _linear(self, result: str, source: str, weight: Array, bias: Array) -> None:
        scale = np.abs(weight).max(axis=1) / LARGEST
        self._constant(f"{result}.w", np.rint(weight / scale[:, None]).astype(np.int8).T.copy())
        self._constant(f"{result}.s", scale.astype(np.float32))
        self._constant(f"{result}.z", np.zeros(len(scale), np.int8))
        self._constant(f"{result}.b", bias.astype(np.float32))
        parts = [source, *(f"{result}.{part}" for part in "wszb")]
        self._fused("DynamicQuantizeMatMul", parts, result)

    def _normed(self, source: str, name: str, result: str) -> str:
        gain, shift = self._gain_and_shift(name)
        self._node("LayerNormalization", [source, gain, shift], result, axis=-1, epsilon=EPSILON)
        return result

    def _added(self, source: str, skip: str, name: str, result: str) -> str:
        gain, shift = self._gain_and_shift(name)
        self._fused("SkipLayerNormalization", [source, skip, gain, shift], result, epsilon=EPSILON)
        return result

    def _gain_and_shift(self, name: str) -> tuple[str, str]:
        self._constant(f"{name}.gain", self._weights[f"{name}.weight"].astype(np.float32))
        self._constant(f"{name}.shift", self._weights[f"{name}.bias"].astype(np.float32))
        return f"{name}.gain", f"{name}.shift"

    def _constant(self, name: str, value: NDArray[np.generic]) -> None:
        self._constants.append(numpy_helper.from_array(value, name))

    def _node(self, kind: str, sources: list[str], result: str, **settings: float) -> None:
        self._nodes.append(helper.make_node(kind, sources, [result], **settings))

    def _fused(self, kind: str, sources: list[str], result: str, **settings: float) -> None:
        node = helper.make_node(kind, sources, [result], domain="com.microsoft", **settings)
        self._nodes.append(node)


if __name__ == "__main__":
    main()
