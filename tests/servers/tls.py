"""TLS for the servers: an authority of our own, and a front for programs built without TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

CHUNK = 65536
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""With it a PostgreSQL client asks whether it may go on with TLS."""


class Authority:
    """Vouches for servers on this machine to those who trust it; no system does."""

    def __init__(self) -> None:
        import trustme  # here: it takes a while, and most servers need none

        self._kind = trustme.KeyType.ECDSA
        self._authority = trustme.CA(key_type=self._kind)

    def write_certificate(self, path: Path) -> None:
        """What a client needs, to trust the servers."""
        self._authority.cert_pem.write_to_path(str(path))

    def write_server(self, path: Path) -> None:
        """What a server needs, in one file: its key and its certificate."""
        issued = self._authority.issue_cert("localhost", "127.0.0.1", key_type=self._kind)
        path.touch(0o600)
        issued.private_key_and_cert_chain_pem.write_to_path(str(path))

    def client(self) -> ssl.SSLContext:
        """The context of a client that trusts these servers."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context


class TLSFront:
    """Speaks TLS with clients and plain TCP with a server that cannot; a context manager.

    It ends the connections whose server is gone, and holds those whose server is silent.
    """

    def __init__(
        self, target: tuple[str, int], certificate: Path, *, asks_first: bool = False
    ) -> None:
        """`asks_first`: the clients are PostgreSQL's, which say that they want TLS."""
        self._target = target
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._asks_first = asks_first
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(self._listening())
        self.address: tuple[str, int] = self._server.sockets[0].getsockname()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._closing())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listening(self) -> asyncio.Server:
        at_once = None if self._asks_first else self._context
        return await asyncio.start_server(self._serve, self._target[0], 0, ssl=at_once)

    async def _closing(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, EOFError):
            if self._asks_first:
                if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
                    return
                writer.write(b"S")
                await writer.start_tls(self._context)
            inner_reader, inner_writer = await asyncio.open_connection(*self._target)
            with contextlib.closing(inner_writer):
                copying = [
                    asyncio.ensure_future(_copy(reader, inner_writer)),
                    asyncio.ensure_future(_copy(inner_reader, writer)),
                ]
                try:
                    await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in copying:
                        task.cancel()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
