"""Our index as a LlamaIndex retriever, so that any LlamaIndex program can ask it."""

from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.index_text import heading_of
from rag.result import Hit
from rag.service import Service


class YoujuRetriever(BaseRetriever):  # type: ignore[misc]  # llama_index publishes no types to us
    """Retrieves passages as nodes; `score` is the fused score, metadata tells the source."""

    def __init__(self, service: Service, k: int = 5, **settings: Any) -> None:
        self._service, self._k = service, k
        super().__init__(**settings)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._service.search(query_bundle.query_str, self._k)
        return [NodeWithScore(node=_node(hit), score=hit.score) for hit in found.hits]


def _node(hit: Hit) -> TextNode:
    article, passage = hit.article, hit.passage
    return TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata={
            "article_id": article.id,
            "title": article.title,
            "heading": heading_of(article, passage),
            "url": article.url or "",
        },
    )
