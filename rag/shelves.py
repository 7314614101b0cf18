"""The one place that chooses the shelf: where the generations of an order or of settings lie."""

from pathlib import Path
from typing import TYPE_CHECKING

from rag.local_shelf import LocalShelf
from rag.shelf import Shelf

if TYPE_CHECKING:
    from rag.order import Order
    from rag.settings import Settings

_PATIENCE = 10.0  # seconds for a call to a server that someone at a terminal waits for


def shelf_of(settings: "Settings") -> Shelf:
    """The shelf that a Service reads from."""
    if settings.chroma_url:
        from rag.chroma_address import Address
        from rag.server_shelf import ServerShelf

        return ServerShelf(
            Address.of(settings),
            settings.data_dir,
            settings.keep_generations,
            deadline=settings.chroma_deadline,
            patience=_PATIENCE,
        )
    return LocalShelf(settings.data_dir, settings.keep_generations)


def shelf_for(order: "Order") -> Shelf:
    """The shelf that a builder builds on."""
    if order.chroma_url:
        from rag.chroma_address import Address
        from rag.server_shelf import ServerShelf

        return ServerShelf(Address.of(order), Path(order.data_dir), order.keep)
    return LocalShelf(Path(order.data_dir), order.keep)
