"""In memory."""

from __future__ import annotations

from typing import Any

from persistry._runtime.awaitable import Opening

from .storage import Storage


class MemoryStore(Storage):
    """Persisters that share one memory, as copies do; unlike copies, each has its own options."""

    memory: Any = None

    def open(self, **options: Any) -> Any:
        persister = self.persister(**options)
        if self.memory is None:
            self.memory = persister._memory
        persister._memory = self.memory
        return persister


class AsyncMemoryStore(MemoryStore):
    def open(self, **options: Any) -> Any:
        async def opened() -> Any:
            return MemoryStore.open(self, **options)

        return Opening(opened)


STORES = {
    "InMemoryPersister": MemoryStore,
    "AsyncInMemoryPersister": AsyncMemoryStore,
}
