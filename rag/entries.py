"""Passages as entries of a Chroma collection, in the form of LlamaIndex's ChromaVectorStore.

Each entry's metadata holds its whole TextNode, text and all, as `node_to_metadata_dict` writes it;
LlamaIndex itself takes a second to import and is not needed for that. Nothing is stored as Chroma's
document: its index of trigrams takes over a quarter of the time of adding, and nobody asks it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus.article import Article, Passage
from rag.index_text import heading_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINGERPRINT = "whole-node-1"


@dataclass(frozen=True, slots=True)
class Entries:
    """What is added at once: `vectors` of shape (entries, dimensions)."""

    ids: Sequence[str]
    vectors: "NDArray[Any]"
    metadata: Sequence[dict[str, Any]]


def metadata_of(article: Article, passage: Passage) -> dict[str, Any]:
    """The metadata of a passage's entry; its node is among it."""
    told = {
        "ordinal": passage.ordinal,
        "article_id": article.id,
        "title": article.title,
        "heading": heading_of(article, passage),
    }
    node = json.dumps(_node(article, passage, told), ensure_ascii=False)
    source = dict.fromkeys(("document_id", "doc_id", "ref_doc_id"), article.id)
    return {**told, "_node_content": node, "_node_type": "TextNode", **source}


def _node(article: Article, passage: Passage, told: dict[str, Any]) -> dict[str, Any]:
    """What `TextNode.model_dump` says, without the vector; "1" is the relationship of a source."""
    source: dict[str, Any] = {"node_id": article.id, "node_type": None, "metadata": {}}
    source |= {"hash": None, "class_name": "RelatedNodeInfo"}
    return {
        "id_": passage.id,
        "embedding": None,
        "metadata": told,
        "excluded_embed_metadata_keys": [],
        "excluded_llm_metadata_keys": [],
        "relationships": {"1": source},
        "metadata_template": "{key}: {value}",
        "metadata_separator": "\n",
        "text": passage.text,
        "mimetype": "text/plain",
        "start_char_idx": passage.start,
        "end_char_idx": passage.end,
        "text_template": "{metadata_str}\n\n{content}",
        "class_name": "TextNode",
    }
