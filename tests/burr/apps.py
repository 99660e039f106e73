"""Applications of Apache Burr, built as their users build them, for persisters of either colour."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pydantic
from burr.core import Application, ApplicationBuilder, ApplicationContext, State, action
from burr.core.parallelism import MapActions, MapStates
from burr.integrations.pydantic import PydanticTypingSystem

PARTITION = "users/1"


async def settled(value: Any) -> Any:
    """A value, or what an awaitable gives."""
    return await value if inspect.isawaitable(value) else value


class Broken(Exception):
    """What an action fails with."""


# In an asynchronous application each action is asynchronous: of a plain one Burr 0.43 gives its
# persister the state from before the action.

# ------------------------------------------------------------------------------------ two actions


@action(reads=["counter"], writes=["counter"])
def count(state: State, fail_at: int = -1) -> State:
    if state["counter"] == fail_at:
        raise Broken(f"at {fail_at}")
    return state.increment(counter=1)


@action(reads=["counter"], writes=["seen"])
def note(state: State) -> State:
    return state.append(seen=state["counter"])


@action(reads=["counter"], writes=["counter"])
async def acount(state: State, fail_at: int = -1) -> State:
    await asyncio.sleep(0)
    return count(state, fail_at)


@action(reads=["counter"], writes=["seen"])
async def anote(state: State) -> State:
    await asyncio.sleep(0)
    return note(state)


# ----------------------------------------------------------------------------------------- a chat


@action(reads=["messages"], writes=["messages", "prompt"])
def ask(state: State, prompt: str) -> State:
    asked = {"role": "user", "content": prompt, "number": len(state["messages"])}
    return state.update(prompt=prompt).append(messages=asked)


@action(reads=["prompt", "messages"], writes=["messages", "usage"])
def answer(state: State) -> State:
    text = f"{state['prompt'][::-1]} \u00fc\U0001f600\u0000"
    usage = {"tokens": len(text), "cost": 1e22 / 7, "cached": None, "final": True}
    said = {"role": "assistant", "content": text, "calls": [{"arguments": {}}]}
    return state.update(usage=usage).append(messages=said)


@action(reads=["messages"], writes=["messages", "prompt"])
async def aask(state: State, prompt: str) -> State:
    return ask(state, prompt)


@action(reads=["prompt", "messages"], writes=["messages", "usage"])
async def aanswer(state: State) -> State:
    return answer(state)


# -------------------------------------------------------------------------- many sub-applications


@action(reads=["number"], writes=["square"])
def square(state: State) -> State:
    return state.update(square=state["number"] ** 2)


@action(reads=["number"], writes=["square"])
async def asquare(state: State) -> State:
    await asyncio.sleep(0)
    return state.update(square=state["number"] ** 2)


class WritesSquares:
    """What Burr asks of an action that runs others."""

    @property
    def reads(self) -> list[str]:
        return []

    @property
    def writes(self) -> list[str]:
        return ["squares"]


class Squares(WritesSquares, MapStates):
    def __init__(self, many: int) -> None:
        super().__init__()
        self.many = many

    def action(self, state: State, inputs: dict[str, Any]) -> Any:
        return square

    def states(
        self, state: State, context: ApplicationContext, inputs: dict[str, Any]
    ) -> Generator[State, None, None]:
        for number in range(self.many):
            yield state.update(number=number)

    def reduce(self, state: State, results: Generator[State, None, None]) -> State:
        return state.update(squares=sorted(it["square"] for it in results))


class AsyncSquares(Squares):
    def is_async(self) -> bool:
        return True

    def action(self, state: State, inputs: dict[str, Any]) -> Any:
        return asquare

    async def states(  # type: ignore[override]
        self, state: State, context: ApplicationContext, inputs: dict[str, Any]
    ) -> AsyncGenerator[State, None]:
        for number in range(self.many):
            yield state.update(number=number)

    async def reduce(self, state: State, results: AsyncGenerator[State, None]) -> State:  # type: ignore[override]
        return state.update(squares=sorted([it["square"] async for it in results]))


class Nested(Squares):
    """Each of whose sub-applications has as many again."""

    def action(self, state: State, inputs: dict[str, Any]) -> Any:
        return Squares(self.many).with_name("squares")

    def reduce(self, state: State, results: Generator[State, None, None]) -> State:
        return state.update(squares=[it["squares"] for it in results])


class AsyncNested(AsyncSquares):
    def action(self, state: State, inputs: dict[str, Any]) -> Any:
        return AsyncSquares(self.many).with_name("squares")

    async def reduce(self, state: State, results: AsyncGenerator[State, None]) -> State:  # type: ignore[override]
        return state.update(squares=[it["squares"] async for it in results])


class Both(WritesSquares, MapActions):
    """Some actions on one state, each in an application of its own."""

    def actions(self, state: State, context: ApplicationContext, inputs: dict[str, Any]) -> Any:
        yield from (square, square, square)

    def state(self, state: State, inputs: dict[str, Any]) -> State:
        return state.update(number=7)

    def reduce(self, state: State, results: Generator[State, None, None]) -> State:
        return state.update(squares=[it["square"] for it in results])


class AsyncBoth(Both):
    def is_async(self) -> bool:
        return True

    async def actions(  # type: ignore[override]
        self, state: State, context: ApplicationContext, inputs: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        for each in (asquare, asquare, asquare):
            yield each

    async def reduce(self, state: State, results: AsyncGenerator[State, None]) -> State:  # type: ignore[override]
        return state.update(squares=[it["square"] async for it in results])


# ----------------------------------------------------------------------------------- typed states


class Line(pydantic.BaseModel):
    text: str
    spoken_by: tuple[str, int]


class Talk(pydantic.BaseModel):
    topic: str
    lines: list[Line] = []
    best: Line | None = None


@action.pydantic(reads=["topic", "lines"], writes=["lines", "best"])  # type: ignore[arg-type]
def speak(state: Talk) -> Talk:
    line = Line(text=f"{state.topic}!", spoken_by=("Ada", len(state.lines)))
    state.lines.append(line)
    state.best = line
    return state


@action.pydantic(reads=["topic", "lines"], writes=["lines", "best"])  # type: ignore[arg-type]
async def aspeak(state: Talk) -> Talk:
    return speak(state)


# --------------------------------------------------------------------------------------- building


class Apps:
    """Builds applications on one store, and runs them as its colour has it."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    async def _built(self, builder: Any) -> Any:
        return await builder.abuild() if self.is_async else builder.build()

    async def run(self, app: Application[Any], **arguments: Any) -> State:
        """Until it halts; the last state."""
        last = await app.arun(**arguments) if self.is_async else app.run(**arguments)
        return last[2]

    async def counter(
        self, persister: Any, app_id: str, fork_from: dict[str, Any] | None = None, **identity: Any
    ) -> Any:
        """Counts, and notes what it has counted, in turns."""
        counting, noting = (acount, anote) if self.is_async else (count, note)
        builder: Any = ApplicationBuilder()
        builder = builder.with_actions(count=counting, note=noting)
        builder = builder.with_transitions(("count", "note"), ("note", "count"))
        return await self._resuming(
            builder, persister, app_id, {"counter": 0, "seen": []}, "count", fork_from, **identity
        )

    async def chat(self, persister: Any, app_id: str) -> Any:
        builder: Any = ApplicationBuilder()
        asking, answering = (aask, aanswer) if self.is_async else (ask, answer)
        builder = builder.with_actions(ask=asking, answer=answering)
        builder = builder.with_transitions(("ask", "answer"), ("answer", "ask"))
        return await self._resuming(builder, persister, app_id, {"messages": []}, "ask")

    async def squares(self, persister: Any, app_id: str, many: int) -> Any:
        """Has each square of so many numbers found by an application of its own."""
        mapping = AsyncSquares(many) if self.is_async else Squares(many)
        return await self._mapping(mapping, persister, app_id)

    async def nested(self, persister: Any, app_id: str, many: int) -> Any:
        mapping = AsyncNested(many) if self.is_async else Nested(many)
        return await self._mapping(mapping, persister, app_id)

    async def actions(self, persister: Any, app_id: str) -> Any:
        return await self._mapping(AsyncBoth() if self.is_async else Both(), persister, app_id)

    async def _mapping(self, mapping: Any, persister: Any, app_id: str) -> Any:
        builder: Any = ApplicationBuilder()
        builder = builder.with_actions(mapping.with_name("squares"))
        return await self._resuming(builder, persister, app_id, {}, "squares")

    async def talk(self, persister: Any, app_id: str) -> Any:
        builder: Any = ApplicationBuilder().with_typing(PydanticTypingSystem(Talk))
        builder = builder.with_actions(speak=aspeak if self.is_async else speak)
        builder = builder.with_transitions(("speak", "speak"))
        first = {"topic": "locks", "lines": [], "best": None}
        return await self._resuming(builder, persister, app_id, first, "speak")

    async def _resuming(
        self,
        builder: Any,
        persister: Any,
        app_id: str,
        default_state: dict[str, Any],
        default_entrypoint: str,
        fork_from: dict[str, Any] | None = None,
        partition_key: str | None = PARTITION,
        sequence_id: int | None = None,
    ) -> Any:
        builder = builder.initialize_from(
            persister,
            resume_at_next_action=True,
            default_state=default_state,
            default_entrypoint=default_entrypoint,
            **fork_from or {},
        )
        builder = builder.with_state_persister(persister)
        identity = {"partition_key": partition_key, "app_id": app_id, "sequence_id": sequence_id}
        return await self._built(builder.with_identifiers(**identity))
