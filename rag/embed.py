"""Text becomes vectors: the model that ships with youju, or any sentence-transformers model."""

import hashlib
import os
import socket
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import BrokenModel, UnknownModel
from rag.model_folder import SETTINGS, ModelFolder

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int32]

SHIPPED = Path(__file__).parent / "models" / "default"
# Passages of about equal length, 8 at a time: 4 and 16 are a tenth slower on two cores.
_BATCH = 8
_THREADS = 4
_EDGE = 65_536  # bytes of a large file that its digest is made of, at either end
_HUB_SECONDS = 5.0


class Embedder(Protocol):
    """Turns text into unit vectors. `fingerprint` changes whenever the vectors would."""

    name: str
    dimensions: int
    fingerprint: str

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; float32, shape (len(texts), dimensions), rows of length 1."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Embed one question; float32, shape (dimensions,), length 1."""
        ...


def load_embedder(name: str = "") -> Embedder:
    """The shipped model for "" (or a folder of its form), otherwise a sentence-transformers one.

    Raises BrokenModel when a shipped folder is damaged, UnknownModel when `name` is not found.
    """
    if not name:
        return ShippedModel()
    if (Path(name) / SETTINGS).is_file():
        return ShippedModel(Path(name))
    return SentenceTransformerModel(name)


class ShippedModel:
    """The model in this repository, run by onnxruntime; torch is never imported.

    Making one reads a small file; the weights are read at the first text. Any number of threads
    may use one object.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self._folder, self._lock = ModelFolder(folder), threading.Lock()
        self.name: str = self._folder.told("name")
        self.dimensions: int = self._folder.told("dimensions")
        self.max_tokens: int = self._folder.told("max_tokens")
        self.fingerprint: str = _with_fold(self._folder.told("fingerprint"))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; of a text longer than `max_tokens` tokens the beginning counts."""
        rows = [self._row(text) for text in texts]
        found = np.zeros((len(rows), self.dimensions), np.float32)
        by_length = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        for start in range(0, len(rows), _BATCH):
            places = by_length[start : start + _BATCH]
            found[places] = self.vectors(*_padded([rows[place] for place in places]))
        return found

    def embed_query(self, text: str) -> Vectors:
        """Embed one question; the same network as for passages."""
        vector: Vectors = self.vectors(*_padded([self._row(text)]))[0]
        return vector

    def tokens(self, texts: Sequence[str]) -> tuple[Numbers, Numbers]:
        """Token numbers, padded with 0, and where they are real; both texts x tokens."""
        return _padded([self._row(text) for text in texts])

    def vectors(self, ids: Numbers, mask: Numbers) -> Vectors:
        """One run of the network over padded token numbers."""
        found: Vectors = self._session.run(None, {"ids": ids, "mask": mask})[0]
        return found

    @cached_property
    def tokenizer(self) -> Any:
        """The WordPieces of this model's vocabulary."""
        from rag.wordpieces import of_vocabulary

        path = self._folder.whole("vocab.txt")
        try:
            with self._lock:
                return of_vocabulary(path.read_bytes())
        except (OSError, ValueError, LookupError) as error:
            raise BrokenModel(path.parent, f"{path.name}: {error!r}") from error

    def _row(self, text: str) -> list[int]:
        from rag.fold import fold

        # No text of so many characters has room for more tokens; a book need not be folded.
        row: list[int] = self.tokenizer.framed(fold(text[: 40 * self.max_tokens]), self.max_tokens)
        return row

    @cached_property
    def _session(self) -> Any:
        with self._lock:
            # cached_property has no lock: whoever waited finds the session of who came first.
            return self.__dict__.get("_session") or onnx_session(self._folder.whole("model.onnx"))


def onnx_session(path: Path) -> Any:
    """A network of ours, ready to run; BrokenModel when its file is damaged."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
    # The graph is written in fused operators already: optimising costs time and finds nothing.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Idle threads sleep instead of spinning; a bot's event loop shares these cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes, one for each kind of damage
        raise BrokenModel(path.parent, f"{path.name}: {str(error)[:200]}") from error


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Numbers, Numbers]:
    shape = (len(rows), max((len(row) for row in rows), default=0))
    ids, mask = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask


def _with_fold(digest: str) -> str:
    """Other folding gives other tokens, so it belongs to the fingerprint."""
    from rag.fold import FINGERPRINT

    return f"{digest}/{FINGERPRINT}"


class SentenceTransformerModel:
    """Any sentence-transformers model by folder or hub name; torch is imported when one is made.

    Questions and passages go through the model's own prompts when it has them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._model = _load(name)
        self._lock = threading.Lock()  # fast tokenizers refuse two threads at once
        self.dimensions: int = self._model.get_embedding_dimension()
        self.fingerprint = f"{name}@{_revision(name, self._model)}"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages with the model's document prompt."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        return self._encode(self._model.encode_document, list(texts))

    def embed_query(self, text: str) -> Vectors:
        """Embed one question with the model's query prompt."""
        return self._encode(self._model.encode_query, text)

    def _encode(self, encode: Any, texts: str | list[str]) -> Vectors:
        with self._lock:
            found = encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


def _load(name: str) -> Any:
    """Local folder, then the local cache, then a download when the hub answers at all."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(name, local_files_only=True)
    except Exception as error:  # OSError, ValueError, huggingface_hub's and safetensors' own
        why = _first_line(error)
    if _is_path(name):
        raise UnknownModel(name, why)
    if not _hub_answers():
        raise UnknownModel(name, "it is not in the local cache and the model hub does not answer")
    try:
        return SentenceTransformer(name)
    except Exception as error:
        raise UnknownModel(name, _first_line(error)) from error


def _is_path(name: str) -> bool:
    return Path(name).exists() or name.startswith((".", "/", "~")) or name.count("/") > 1


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _hub_answers() -> bool:
    """Whether the hub's port opens; with a proxy only the download itself can tell."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return True
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    from huggingface_hub import constants

    address = urlsplit(constants.ENDPOINT)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=_HUB_SECONDS).close()
    except OSError:
        return False
    return True


def _revision(name: str, model: Any) -> str:
    """The hub's commit, or a digest over the folder's files (large ones: size, head and tail)."""
    folder = Path(name)
    if folder.is_dir():
        return _folder_digest(folder)
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    return str(getattr(config, "_commit_hash", None) or "unknown")


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_EDGE))
            file.seek(max(0, size - _EDGE))
            digest.update(file.read(_EDGE))
    return digest.hexdigest()[:16]
