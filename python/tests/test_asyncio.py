"""The awaitable versions: they run beside each other, and a cancelled task stops its device."""

from __future__ import annotations

import asyncio
import time

import astrobackend
import pytest


def test_a_slew_and_an_exposure_at_the_same_time() -> None:
    async def night() -> astrobackend.Image:
        with (
            astrobackend.open("sim://?speed=20&sensor=generic") as observatory,
            observatory.camera() as camera,
            observatory.mount() as mount,
            observatory.focuser() as focuser,
            observatory.filter_wheel() as wheel,
        ):
            ra = mount.state().position.ra
            image, *_ = await asyncio.gather(
                camera.expose_async(20, frame_type="dark"),
                mount.slew_async(astrobackend.RaDec(ra, 60, "JNow"), timeout=60),
                focuser.move_to_async(30_000),
                wheel.select_async("OIII"),
            )
            assert not mount.state().slewing and focuser.state().position == 30_000
            await mount.park_async()
            assert mount.state().parked
            return image

    assert asyncio.run(night()).shape == (1024, 1280)


def test_a_cancelled_task_aborts_its_exposure() -> None:
    async def night() -> None:
        with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
            task = asyncio.create_task(camera.expose_async(60))
            while not camera.state().busy:
                await asyncio.sleep(0.01)
            started = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - started < 1 and not camera.state().busy
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(camera.expose_async(60), 0.2)
            assert not camera.state().busy

    asyncio.run(night())


def test_a_halt_does_not_wait_for_a_free_thread() -> None:
    async def night() -> None:
        with (
            astrobackend.open("sim://") as observatory,
            observatory.focuser() as focuser,
            observatory.camera() as camera,
        ):
            tasks = [asyncio.create_task(focuser.move_to_async(60_000))]
            tasks += [asyncio.create_task(camera.expose_async(30)) for _ in range(40)]
            started = time.monotonic()
            with pytest.raises(astrobackend.Timeout):
                await focuser.move_to_async(0, timeout=0.2)
            assert time.monotonic() - started < 3
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert not camera.state().busy and not focuser.state().moving

    asyncio.run(night())


def test_a_cancelled_wait_takes_no_event_along() -> None:
    async def moves(events: astrobackend.Events) -> list[astrobackend.Event]:
        seen = []
        async for event in events:
            if isinstance(event.state, astrobackend.FocuserState):
                if event.state.position == 10_000 and not event.state.moving:
                    break
                seen += [event] if event.state.moving else []
        return seen

    async def night() -> None:
        with astrobackend.open("sim://?speed=10") as observatory, observatory.focuser() as focuser:
            events, other = observatory.events(), observatory.events()
            with pytest.raises(asyncio.TimeoutError):
                while True:
                    await asyncio.wait_for(events.__anext__(), 0.05)
            focuser.move_to(10_000)
            assert await moves(events) == await moves(other) != []
            focuser.move_to(10_100)
            observatory.close()
            # What came before the end is not lost.
            assert [event async for event in events] and events.closed

    asyncio.run(night())


def test_errors_arrive() -> None:
    async def night() -> None:
        with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
            with pytest.raises(astrobackend.InvalidValue):
                await camera.expose_async(1e9)
            with pytest.raises(TypeError):
                await camera.expose_async()  # type: ignore[call-arg]

    asyncio.run(night())


def test_events_are_awaited() -> None:
    async def night() -> int:
        with astrobackend.open("sim://?speed=100") as observatory, observatory.focuser() as focuser:
            events = observatory.events()
            focuser.start_move(20_000)
            async for event in events:
                if event.kind == "state" and event.state.position == 20_000:
                    break
            asyncio.get_running_loop().call_later(0.1, observatory.close)
            return len([event async for event in events])

    assert asyncio.run(night()) >= 0
