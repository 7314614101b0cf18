"""The model while it is trained: BERT with our vocabulary, mean pooling, vectors of length 1."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import normalize
from transformers import BertConfig, BertModel

from rag.fold import fold
from rag.wordpieces import WordPieces

Weights = dict[str, Tensor]


def encoder(tokens: int, dropout: float, types: int = 2) -> BertModel:
    """all-MiniLM-L6-v2's transformer over a vocabulary of so many tokens."""
    config = BertConfig(
        vocab_size=tokens,
        type_vocab_size=types,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
        # In bfloat16 torch's fused attention takes five times as long backward as plain products.
        attn_implementation="eager",
    )
    return BertModel(config, add_pooling_layer=False)


def narrow() -> torch.autocast:
    """Products in bfloat16 where the processor has AVX-512; without, they take 45 times as long."""
    able = torch.backends.cpu.get_cpu_capability() == "AVX512"
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=able)


class Network(torch.nn.Module):
    """Token numbers in, unit vectors out."""

    def __init__(self, tokens: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.bert = encoder(tokens, dropout)

    def forward(self, batch: Sequence[Sequence[int]]) -> Tensor:
        ids, mask = padded(batch)
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        counted = (hidden * mask.unsqueeze(-1)).sum(dim=1)
        return normalize(counted, dim=-1)

    def load(self, path: Path) -> None:
        """Read weights under BERT's own names."""
        weights = load_file(path)
        kept = {name: value for name, value in weights.items() if not name.startswith("pooler")}
        self.bert.load_state_dict(kept)

    def save(self, path: Path) -> None:
        """Write weights under BERT's own names."""
        save_file({n: v.contiguous() for n, v in self.bert.state_dict().items()}, path)


@torch.no_grad()
def follow(mean: torch.nn.Module, network: torch.nn.Module, keep: float) -> None:
    """Move the running mean of what is trained towards the network, by a share of 1 - `keep`."""
    pairs = zip(mean.parameters(), network.parameters(), strict=True)
    for before, now in pairs:
        if now.requires_grad:
            before.lerp_(now, 1 - keep)


def padded(batch: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of one length (padding is token 0) and where they are real."""
    longest = max(len(row) for row in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    for place, row in enumerate(batch):
        ids[place, : len(row)] = torch.as_tensor(row)
    lengths = torch.tensor([len(row) for row in batch])
    return ids, (torch.arange(longest)[None] < lengths[:, None]).long()


class Encoder:
    """A network and its tokenizer: texts to vectors, as the shipped model does it."""

    def __init__(self, network: Network, cutter: WordPieces, limit: int = 256) -> None:
        self._network, self._cutter, self._limit = network, cutter, limit

    def __call__(self, found: Sequence[str]) -> NDArray[np.float32]:
        rows = [self._cutter.framed(fold(text), self._limit) for text in found]
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        out = np.zeros((len(rows), 384), np.float32)
        was_training = self._network.training
        self._network.eval()
        with torch.inference_mode():
            for start in range(0, len(order), 32):
                places = order[start : start + 32]
                out[places] = self._network([rows[place] for place in places]).numpy()
        self._network.train(was_training)
        return out
