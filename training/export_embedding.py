"""Trained weights become the shipped folder: one int8 ONNX graph, vocabulary and settings.

    python -m training.export_embedding --weights FILE... --vocabulary vocab.txt --out DIR

The graph is written node by node in onnxruntime's fused operators, so that loading needs no
optimiser: token numbers in, unit vectors out. All weights are int8, a scale for each token row
and for each output column; activations are quantised as they pass. One or two channels of each
layer are three times as large as any other and would take the int8 range for themselves: they
are divided before the product and their weights multiplied (SmoothQuant, Xiao et al., 2022).
Mean cosine with the float model: 0.993 without that, 0.996 with the square root of what would
make them equal, 0.994 with its power 0.7, 0.993 with all of it.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from transformers import BertModel

from rag.wordpieces import WordPieces
from training.network import Network

Array = NDArray[np.float32]

LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
NAME = "youju-minilm-zh"
# Weights as unsigned bytes around 128: the signed product saturates on processors without VNNI
# (cosine 0.989), signed bytes of 7 bits lose 0.003 of cosine and save a tenth of the time.
MIDDLE = 128
# Sentences to find the large channels with; which ones they are does not depend on the text.
SAMPLES = (
    "强化学习里智能体通过试错来学会在环境中行动,奖励告诉它做得好不好。",
    "昨天晚上孩子有点发烧,要不要马上去医院看医生?",
    "how do i reset the password of my account if i lost my phone?",
    "1937年出生于上海,后来成为著名的物理学家,获得了很多奖项。",
    "在 visual studio 中打开解决方案,然后选取 [属性] 页面上的选项。",
    "猫",
)
# What a folder holds besides the weights; kept by hand in the shipped folder.
SHIPPED = Path(__file__).parent.parent / "rag" / "models" / "default"
BY_HAND = ("modules.json", "config_sentence_transformers.json", "youju_module.py", "README.md")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weights", type=Path, required=True, nargs="+", help="mean of these")
    arguments.add_argument("--vocabulary", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--max-tokens", type=int, default=256)
    options = arguments.parse_args()
    export(mean_weights(options.weights), options.vocabulary, options.out, options.max_tokens)


def mean_weights(paths: list[Path]) -> dict[str, Array]:
    """The plain mean of checkpoints of one descent (Wortsman et al., 2022)."""
    found = [load_file(path) for path in paths]
    names = set.intersection(*(set(weights) for weights in found))
    return {n: np.mean([weights[n] for weights in found], axis=0, dtype=np.float32) for n in names}


def export(weights: dict[str, Array], vocabulary: Path, out: Path, max_tokens: int) -> None:
    """Write the folder aside, then put it in place of `out`."""
    aside = out.with_name(out.name + ".new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in BY_HAND:
        shutil.copy(SHIPPED / name, aside / name)
    shutil.copy(vocabulary, aside / "vocab.txt")
    largest = large_channels(weights, vocabulary)
    onnx.save(Graph(weights, largest, max_tokens).model(), aside / "model.onnx")
    _describe(aside, max_tokens)
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.replace(old)
    aside.replace(out)
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


def large_channels(weights: dict[str, Array], vocabulary: Path) -> dict[str, Array]:
    """For each product with large channels: what to divide its input's channels by."""
    tokens = vocabulary.read_text(encoding="utf-8").splitlines()
    network, cutter = Network(len(tokens)).eval(), WordPieces(tokens)
    network.bert.load_state_dict({n: torch.from_numpy(w) for n, w in weights.items()}, strict=False)
    return divisors(network.bert, lambda: network([cutter.framed(t, 128) for t in SAMPLES]))


def divisors(bert: BertModel, run: Callable[[], object]) -> dict[str, Array]:
    """For each product with large channels while `run` uses it: what to divide them by."""
    largest: dict[str, Array] = {}
    for name, part in bert.named_modules():
        if name.endswith(("intermediate.dense", "output.dense")) and "attention" not in name:
            part.register_forward_pre_hook(partial(_keep_largest, largest, name))
    with torch.inference_mode():
        run()
    return {name: np.sqrt(np.maximum(1, top / np.sort(top)[-8])) for name, top in largest.items()}


def _keep_largest(largest: dict[str, Array], name: str, _: object, inputs: Any) -> None:
    found = inputs[0].abs().flatten(0, -2).amax(0).numpy()
    largest[name] = np.maximum(found, largest.get(name, found))


class Graph:
    """BERT, mean pooling and length 1, as fused int8 nodes."""

    def __init__(
        self, weights: dict[str, Array], divisors: dict[str, Array], max_tokens: int
    ) -> None:
        self._weights, self._divisors, self._max_tokens = weights, divisors, max_tokens
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        """The whole graph: `ids` and `mask` (batch x tokens, int32) to `vectors`."""
        hidden = self._embed()
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden)
        self._pool(hidden)
        shape = ["batch", "tokens"]
        inputs = [
            helper.make_tensor_value_info(n, TensorProto.INT32, shape) for n in ("ids", "mask")
        ]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", WIDTH])]
        return self._checked(NAME, inputs, outputs)

    def _checked(
        self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._constants)
        versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _embed(self) -> str:
        return self._normed(self._summed(), "embeddings.LayerNorm", "embedded")

    def _summed(self) -> str:
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
        return "summed"

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
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        if name in self._divisors:
            self._constant(f"{name}.small", (1 / self._divisors[name]).astype(np.float32))
            self._node("Mul", [source, f"{name}.small"], f"{result}.even")
            source, weight = f"{result}.even", weight * self._divisors[name]
        self._linear(result, source, weight, bias)

    def _linear(self, result: str, source: str, weight: Array, bias: Array) -> None:
        scale = np.abs(weight).max(axis=1) / 127
        quantised = (np.rint(weight / scale[:, None]) + MIDDLE).astype(np.uint8)
        self._constant(f"{result}.w", quantised.T.copy())
        self._constant(f"{result}.s", scale.astype(np.float32))
        self._constant(f"{result}.z", np.full(len(scale), MIDDLE, np.uint8))
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

    def _node(self, kind: str, sources: list[str], result: str, **settings: Any) -> None:
        self._nodes.append(helper.make_node(kind, sources, [result], **settings))

    def _fused(self, kind: str, sources: list[str], result: str, **settings: Any) -> None:
        node = helper.make_node(kind, sources, [result], domain="com.microsoft", **settings)
        self._nodes.append(node)


if __name__ == "__main__":
    main()
