"""Awaitable versions of the calls that wait: the same call on a thread, cancelled when its task is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ._native import Event, Events

T = TypeVar("T")

EVENT_WAIT = 0.25
"""Seconds after which a thread that waits for an event looks whether anybody still wants it."""


async def run(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Runs a call that takes `cancel`; when the task is cancelled, what the call started is stopped."""
    from ._native import Cancel

    cancel = Cancel()
    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(None, partial(call, *arguments, cancel=cancel, **named))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        cancel.cancel()
        # It ends as soon as the device has been stopped; what it says then is of no interest.
        await asyncio.wait([future], timeout=5)
        future.cancelled() or (future.done() and future.exception())
        raise


async def next_event(events: Events) -> Event:
    """The next event, or the end of the stream."""
    loop = asyncio.get_running_loop()
    while not events.closed:
        event = await loop.run_in_executor(None, partial(events.next, EVENT_WAIT))
        if event is not None:
            return event
    raise StopAsyncIteration
