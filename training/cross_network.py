"""The reader while it is trained: BERT over a question and a passage together.

It says for each token how much of the answer it is, and for the whole passage with what log-odds
it answers at all; rag.passage_reader turns the tokens' columns into sentences in the same way.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from corpus.split import Span
from rag.passage_reader import UNREAD, Pair
from training.network import encoder, padded

TOGETHER = 7  # pairs that pass through the network at once
TYPES = 4  # of a token: rag.passage_reader.Pair
_TYPES = "embeddings.token_type_embeddings.weight"


class CrossNetwork(torch.nn.Module):
    """Pairs in; for each pair the scores of its sentences and the log-odds that it answers."""

    def __init__(self, tokens: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.bert = encoder(tokens, dropout, types=TYPES)
        # Columns: how much a token counts in its sentence, what it says, and, of the first
        # token, what the whole passage says.
        self.head = torch.nn.Linear(384, 3)
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, batch: Sequence[Pair]) -> tuple[list[Tensor], Tensor]:
        """Scores of each pair's sentences, and what each pair's passage says as a whole."""
        order = sorted(range(len(batch)), key=lambda place: len(batch[place].ids))
        scores: dict[int, Tensor] = {}
        says: dict[int, Tensor] = {}
        for begin in range(0, len(order), TOGETHER):  # of about one length: little padding
            places = order[begin : begin + TOGETHER]
            columns = self._columns([batch[place] for place in places])
            for row, place in enumerate(places):
                scores[place] = sentence_scores(columns[row], batch[place].spans)
                says[place] = columns[row, 0, 2]
        every = range(len(batch))
        return [scores[place] for place in every], torch.stack([says[place] for place in every])

    def _columns(self, batch: Sequence[Pair]) -> Tensor:
        ids, mask = padded([pair.ids for pair in batch])
        types, _ = padded([pair.types for pair in batch])
        hidden = self.bert(ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        columns: Tensor = self.head(hidden).float()
        return columns

    def load(self, path: Path) -> None:
        """Read weights; those of a model without our head leave the head as it was made.

        A model of two token types knows of no shared words, and begins with what it knows.
        """
        weights = load_file(path)
        body = {n.removeprefix("bert."): w for n, w in weights.items() if not n.startswith("head.")}
        body = {n: w for n, w in body.items() if not n.startswith("pooler")}
        if len(body[_TYPES]) < TYPES:
            body[_TYPES] = body[_TYPES].repeat(2, 1)
        self.bert.load_state_dict(body)
        if "head.weight" in weights:
            self.head.load_state_dict({k: weights[f"head.{k}"] for k in ("weight", "bias")})

    def save(self, path: Path) -> None:
        save_file({n: v.contiguous() for n, v in self.state_dict().items()}, path)


def sentence_scores(columns: Tensor, spans: Sequence[Span]) -> Tensor:
    """What each sentence's tokens say, each token weighed by the first column."""
    found = []
    for begin, end in spans:
        if begin == end:
            found.append(columns.new_tensor(UNREAD))
        else:
            weights = columns[begin:end, 0].softmax(dim=0)
            found.append((weights * columns[begin:end, 1]).sum())
    return torch.stack(found)
