"""What a user would write instead: stock LlamaIndex over the same articles, with its defaults.

Its SentenceSplitter, HuggingFaceEmbedding on the same model, ChromaVectorStore, BM25Retriever over
characters (its own pattern finds no Chinese word) and QueryFusionRetriever with reciprocal ranks.

    python -m benchmarks.stock index ARTICLES STORE [--projected]
    python -m benchmarks.stock ask STORE QUESTION
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rag.embed import SHIPPED

# One token for a Han character, one for any other word.
_CHARACTERS = r"(?u)[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+"
_COLLECTION = "passages"
_K = 5


def embedding() -> Any:
    """The shipped model, through sentence-transformers."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    return HuggingFaceEmbedding(model_name=str(SHIPPED), trust_remote_code=True, device="cpu")


def projected() -> Any:
    """The projection of `benchmarks.made` in place of a model, for sizes too large to encode."""
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from pydantic import PrivateAttr

    from benchmarks.made import Projected
    from rag.embed import load_embedder

    class Made(BaseEmbedding):
        _projected: Projected = PrivateAttr(default_factory=lambda: Projected(load_embedder()))

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            vectors: list[list[float]] = self._projected.embed_passages(texts).tolist()
            return vectors

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return Made(embed_batch_size=512)


def index(documents: Iterable[tuple[str, str, str]], store: Path, model: Any) -> int:
    """Split, embed and store (id, title, text); how many nodes that makes."""
    from llama_index.core import Document, StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.retrievers.bm25 import BM25Retriever

    read = [
        Document(text=text, id_=ident, metadata={"title": title, "source": ident})
        for ident, title, text in documents
    ]
    nodes = SentenceSplitter().get_nodes_from_documents(read)
    storage = StorageContext.from_defaults(vector_store=_vectors(store))
    VectorStoreIndex(nodes, storage_context=storage, embed_model=model)
    words = BM25Retriever.from_defaults(
        nodes=nodes, similarity_top_k=_K, token_pattern=_CHARACTERS, skip_stemming=True
    )
    words.persist(str(store / "bm25"))
    return len(nodes)


def retriever(store: Path, model: Any, k: int = _K) -> Any:
    """The fused retriever over what was indexed."""
    from llama_index.core import VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.retrievers.bm25 import BM25Retriever

    vectors = VectorStoreIndex.from_vector_store(_vectors(store), embed_model=model)
    words = BM25Retriever.from_persist_dir(str(store / "bm25"))
    words.similarity_top_k = min(k, len(words.corpus))
    # Without `token_pattern` and `skip_stemming` a loaded one takes its questions apart otherwise.
    words.token_pattern, words.skip_stemming = _CHARACTERS, True
    return QueryFusionRetriever(
        [vectors.as_retriever(similarity_top_k=k), words],
        similarity_top_k=k,
        num_queries=1,
        mode="reciprocal_rerank",
        use_async=False,
        llm=MockLLM(),
    )


def articles_in(folder: Path) -> Iterator[tuple[str, str, str]]:
    """The articles of a folder as youju reads them, so that both index the same text."""
    from corpus.read import read_folder

    for article in read_folder(folder)[0]:
        yield article.path, article.title, article.text


def _vectors(store: Path) -> Any:
    import chromadb
    from llama_index.vector_stores.chroma import ChromaVectorStore

    client = chromadb.PersistentClient(str(store / "chroma"))
    return ChromaVectorStore(chroma_collection=client.get_or_create_collection(_COLLECTION))


def main() -> None:
    command, *rest = sys.argv[1:]
    if command == "index":
        articles, store = Path(rest[0]), Path(rest[1])
        store.mkdir(parents=True)
        model = projected() if "--projected" in rest else embedding()
        print(json.dumps({"nodes": index(articles_in(articles), store, model)}))
    else:
        hits = retriever(Path(rest[0]), embedding()).retrieve(rest[1])
        print(json.dumps({"passages": [hit.node.text for hit in hits]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
