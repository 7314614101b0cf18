"""The reader while it is trained: BERT over question and passage, a score for each sentence."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cosine_similarity
from transformers import BertConfig, BertModel

from rag.reading_input import Row

KINDS = 4


class ReaderNetwork(torch.nn.Module):
    """Rows in; for each the logits of "nothing here" and of every sentence, which compete.

    A sentence's logit is the likeness of its mean vector to the question's, which an embedding
    model knows before any training, plus what its tokens say, weighed by their own attention.
    """

    def __init__(self, tokens: int, dropout: float = 0.1) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=tokens,
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            type_vocab_size=KINDS,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=0.0,  # lets the fused attention kernel run
        )
        self.bert = BertModel(config, add_pooling_layer=False)
        self.head = torch.nn.Linear(384, 3)  # a token's attention, its say, and "nothing here"
        self.likeness = torch.nn.Parameter(torch.tensor(8.0))
        torch.nn.init.normal_(self.head.weight, std=0.01)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, rows: Sequence[Row]) -> Tensor:
        """Logits, shape (rows, 1 + most sentences); -inf where a row has no such sentence."""
        ids, kinds, mask, asked, spans = batch(rows)
        hidden = self.bert(
            input_ids=ids, attention_mask=mask, token_type_ids=kinds
        ).last_hidden_state
        attention, say, nothing = self.head(hidden).unbind(dim=-1)
        there = spans.any(dim=-1)
        weights = attention[:, None].masked_fill(~spans, -1e4).softmax(dim=-1)
        said = (weights * say[:, None]).sum(dim=-1)
        alike = cosine_similarity(mean(hidden, asked), mean(hidden, spans), dim=-1)
        scores = (self.likeness * alike + said).masked_fill(~there, -1e4)
        return torch.cat([nothing[:, :1], scores], dim=1)

    def start_from(self, path: Path) -> None:
        """Begin with an embedding model's weights; every kind of token begins as kind 0."""
        weights = {n: v for n, v in load_file(path).items() if not n.startswith("pooler")}
        name = "embeddings.token_type_embeddings.weight"
        weights[name] = weights[name][:1].repeat(KINDS, 1)
        self.bert.load_state_dict(weights)

    def save(self, path: Path) -> None:
        save_file({n: v.contiguous() for n, v in self.state_dict().items()}, path)

    def load(self, path: Path) -> None:
        self.load_state_dict(load_file(path))


def mean(hidden: Tensor, where: Tensor) -> Tensor:
    """The mean vector of each span; `where` has shape (rows, spans, tokens)."""
    weights = where.float()
    return weights @ hidden / weights.sum(dim=-1, keepdim=True).clamp(min=1)


def batch(rows: Sequence[Row]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Token numbers, kinds, mask, and the places of the question and of the sentences."""
    longest = max(len(row.ids) for row in rows)
    most = max(len(row.spans) for row in rows)
    ids, kinds, mask = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(3))
    asked = torch.zeros(len(rows), 1, longest, dtype=torch.bool)
    spans = torch.zeros(len(rows), most, longest, dtype=torch.bool)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        kinds[place, : len(row.ids)] = torch.tensor(row.kinds)
        mask[place, : len(row.ids)] = 1
        asked[place, 0, slice(*row.asked)] = True
        for number, span in enumerate(row.spans):
            spans[place, number, slice(*span)] = True
    return ids, kinds, mask, asked, spans
