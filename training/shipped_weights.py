"""A shipped network's weights as floats again, to train on from where it stands.

    python -m training.shipped_weights --out FILE [--model rag/models/passages/model.onnx]

Of the embedding, or of the reader that reads question and passage together. What int8 rounded away
stays away: the restored embedding's vectors are those of the shipped one to a cosine of 0.996. The
pieces that the export merges are taken apart; the token type of a second text is taken from the
base model for the embedding, whose graph never sees one.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

from training.export_embedding import LAYERS, MIDDLE, SHIPPED
from training.vocabulary import base_model

Array = NDArray[np.float32]
Constants = dict[str, NDArray[np.generic]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=SHIPPED / "model.onnx")
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    save_file(restored(options.model), options.out)


def restored(path: Path) -> dict[str, Array]:
    """All weights under BERT's own names."""
    graph = onnx.load(str(path)).graph
    constants: Constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
    found = _embeddings(constants)
    for layer in range(LAYERS):
        found |= _layer(constants, f"encoder.layer.{layer}")
    if "head.w" in constants:  # a reader's weights have the names of training.cross_network
        found = {f"bert.{name}": value for name, value in found.items()}
        found |= _named("head", constants["head.w"].T, constants["head.b"])
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in found.items()}


def _embeddings(constants: Constants) -> dict[str, Array]:
    base = load_file(base_model() / "model.safetensors")
    types = base["embeddings.token_type_embeddings.weight"]
    if "type_rows" in constants:  # these differ from the first, which the positions hold
        types = types[:1] + constants["type_rows"].astype(np.float32)
    positions = base["embeddings.position_embeddings.weight"].copy()
    known = constants["positions"].astype(np.float32) - types[:1]
    positions[: len(known)] = known
    rows = constants["rows"].astype(np.float32) * constants["row_scales"].astype(np.float32)
    return {
        "embeddings.word_embeddings.weight": rows,
        "embeddings.position_embeddings.weight": positions,
        "embeddings.token_type_embeddings.weight": types,
        **_norm(constants, "embeddings.LayerNorm"),
    }


def _layer(constants: Constants, at: str) -> dict[str, Array]:
    weight, bias = _linear(constants, f"{at}.qkv")
    found: dict[str, Array] = {}
    for name, w, b in zip(
        ("query", "key", "value"), np.split(weight, 3), np.split(bias, 3), strict=True
    ):
        found |= _named(f"{at}.attention.self.{name}", w, b)
    places = {
        "attention.output.dense": "attended",
        "intermediate.dense": "wide",
        "output.dense": "narrow",
    }
    for name, result in places.items():
        weight, bias = _linear(constants, f"{at}.{result}")
        if f"{at}.{name}.small" in constants:
            weight = weight * constants[f"{at}.{name}.small"].astype(np.float32)
        found |= _named(f"{at}.{name}", weight, bias)
    found |= _norm(constants, f"{at}.attention.output.LayerNorm")
    return found | _norm(constants, f"{at}.output.LayerNorm")


def _linear(constants: Constants, result: str) -> tuple[Array, Array]:
    quantised = constants[f"{result}.w"].astype(np.float32).T - MIDDLE
    scale = constants[f"{result}.s"].astype(np.float32)
    return quantised * scale[:, None], constants[f"{result}.b"].astype(np.float32)


def _named(name: str, weight: Array, bias: Array) -> dict[str, Array]:
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def _norm(constants: Constants, name: str) -> dict[str, Array]:
    gain, shift = constants[f"{name}.gain"], constants[f"{name}.shift"]
    return _named(name, gain.astype(np.float32), shift.astype(np.float32))


if __name__ == "__main__":
    main()
