"""Awaitable versions of the calls that wait: the same call on a thread of its own, cancelled when its task is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ._native import Event, Events

T = TypeVar("T")

STOPPED = 5.0
"""Seconds that a cancelled call may take to stop its device before its task ends nevertheless."""

EVENT_LOOK = 0.02
"""Seconds between two looks for an event: a thread would take one along when its task is cancelled."""


async def run(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Runs a call that takes `cancel`; when the task is cancelled, what the call started is stopped."""
    from ._native import Cancel

    cancel = Cancel()
    result: Future[T] = Future()
    work = partial(_work, result, partial(call, *arguments, cancel=cancel, **named))
    # Asyncio's own threads are few: a halt must not wait until an exposure makes room.
    threading.Thread(target=work, name="astrobackend-await", daemon=True).start()
    waiting = asyncio.wrap_future(result)
    # Of a call that is left behind nobody asks how it ended.
    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.wait([waiting], timeout=STOPPED)
        raise


def _work(result: Future[T], call: Callable[[], T]) -> None:
    try:
        result.set_result(call())
    except BaseException as error:
        result.set_exception(error)


async def next_event(events: Events) -> Event:
    """The next event, or the end of the stream."""
    while True:
        over = events.closed
        event = events.next(0)
        if event is not None:
            return event
        if over:
            raise StopAsyncIteration
        await asyncio.sleep(EVENT_LOOK)
