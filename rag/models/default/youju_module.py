"""The shipped model as a sentence-transformers module: the same code that runs without torch.

SentenceTransformer("rag/models/default", trust_remote_code=True) finds this file through
modules.json; sentence-transformers asks for that flag whenever a folder brings its own module.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers.base.modules.input_module import InputModule

from rag.embed import ShippedModel


class ShippedModule(InputModule):
    """Texts in, `sentence_embedding` out: tokenizer, network, pooling and length 1 in one."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder
        self.shipped = ShippedModel(Path(folder))
        self.tokenizer = self.shipped.tokenizer

    def preprocess(
        self, inputs: Sequence[str], prompt: str | None = None, **_: Any
    ) -> dict[str, torch.Tensor]:
        ids, mask = self.shipped.tokens([(prompt or "") + text for text in inputs])
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}

    def forward(self, features: dict[str, torch.Tensor], **_: Any) -> dict[str, torch.Tensor]:
        ids, mask = features["input_ids"], features["attention_mask"]
        vectors = self.shipped.vectors(ids.cpu().numpy(), mask.cpu().numpy())
        features["sentence_embedding"] = torch.from_numpy(vectors).to(ids.device)
        return features

    @property
    def max_seq_length(self) -> int:
        return self.shipped.max_tokens

    def get_embedding_dimension(self) -> int:
        return self.shipped.dimensions

    @classmethod
    def load(cls, model_name_or_path: str, **_: Any) -> "ShippedModule":
        return cls(model_name_or_path)

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        for path in Path(self.folder).iterdir():
            if path.is_file() and path.name != "modules.json":
                shutil.copy(path, output_path)
