"""What a driver does in a turn: waited for while there is time, and then left to end by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..limits import Deadline, Limits
from .awaited_calls import is_closed, settled_quietly
from .awaited_link import LAST_MOMENT
from .awaited_pool import Pool, Turn

T = TypeVar("T")

# Where the server can be asked to give a statement up, it is asked so much of the time, but no more
# than a moment, before that is over.
_SHARE = 0.1


async def run(
    pool: Pool, turn: Turn, work: Coroutine[Any, Any, T], deadline: Deadline, limits: Limits
) -> asyncio.Task[T]:
    """Do something in a task of its own; if it is late, it is left there, and the turn with it.

    So it is if the caller is cancelled: drivers answer a cancellation in their own time.
    """
    loop = asyncio.get_running_loop()
    told = loop.create_future()
    task = loop.create_task(_telling(work, told))
    waited: list[asyncio.Task[Any]] = [task]
    early = min(LAST_MOMENT, _SHARE * limits.operation) if pool.facts.cancel else 0.0
    timer = loop.call_later(max(0.0, deadline.remaining() - early), _tell, told)
    try:
        await told  # `asyncio.wait` takes a step of the event loop more.
        if not task.done() and early:
            waited += _asked(pool, turn)
            await asyncio.wait(waited, timeout=max(0.0, deadline.remaining()))
    except asyncio.CancelledError:
        if task.done() and (task.cancelled() or task.exception()):
            pool.settle(turn, sound=False, lost=False)
        raise
    finally:
        timer.cancel()
        under_way = [it for it in waited if not it.done()]
        if under_way:
            _abandon(pool, turn, under_way, deadline, limits)
    return task


async def _telling(work: Coroutine[Any, Any, T], told: asyncio.Future[None]) -> T:
    try:
        return await work
    finally:
        _tell(told)


def _tell(told: asyncio.Future[None]) -> None:
    if not told.done():
        told.set_result(None)


def _asked(pool: Pool, turn: Turn) -> list[asyncio.Task[Any]]:
    """Ask the server to give up the statement of a turn, if there is one and a way to ask."""
    if turn.line is None or turn.asked or not pool.facts.cancel:
        return []
    turn.asked = True
    ask = getattr(turn.line.connection, pool.facts.cancel)
    return [asyncio.get_running_loop().create_task(settled_quietly(ask))]


def _abandon(
    pool: Pool, turn: Turn, tasks: list[asyncio.Task[Any]], deadline: Deadline, limits: Limits
) -> None:
    turn.abandoned = True
    for task in tasks:
        pool.keep(task)
    if pool.values is None:
        pool.start(_tidy(pool, turn, tasks, limits))
    else:
        pool.start(_end(pool, turn, tasks, deadline))
        turn.slots.release()


async def _end(pool: Pool, turn: Turn, tasks: list[asyncio.Task[Any]], deadline: Deadline) -> None:
    """Let calls end as their driver ends those that are cancelled, and then the connection."""
    try:
        if turn.line is None:
            # Only a connection that has come can be closed; the server may have it before us.
            await asyncio.wait(tasks, timeout=max(0.0, deadline.remaining()))
        for _ in range(2):  # The first time a driver may go on, to tell the server of it.
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=LAST_MOMENT)
    finally:
        if turn.line is not None:
            pool.drop(turn.line)


async def _tidy(pool: Pool, turn: Turn, tasks: list[asyncio.Task[Any]], limits: Limits) -> None:
    """Let calls end by themselves, on a connection that some drivers close if they are cancelled.

    It is not ours to close; its turn comes to an end with them.
    """
    try:
        tasks += _asked(pool, turn)
        await asyncio.wait(tasks, timeout=limits.operation)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if not is_closed(pool.connection):
            await settled_quietly(pool.connection.rollback)
    finally:
        turn.slots.release()
