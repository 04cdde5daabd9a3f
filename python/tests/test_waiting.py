"""What a program must be able to rely on while it waits: threads run, deadlines hold, and it is quiet."""

from __future__ import annotations

import threading
import time

import astrobackend
import pytest
from conftest import run


def test_the_end_of_a_subscription_ends_a_wait() -> None:
    with astrobackend.open("sim://") as observatory:
        for close in (lambda events: events.close(), lambda events: observatory.close()):
            if observatory.closed:
                break
            events = observatory.events()
            threading.Timer(0.1, close, (events,)).start()
            started = time.monotonic()
            assert events.next(60) is None and list(events) == []
            assert time.monotonic() - started < 2


def test_blocks_within_blocks_leave_a_device_to_the_outermost() -> None:
    with astrobackend.open("sim://") as observatory:
        camera = observatory.camera()
        with camera:
            with camera:
                pass
            assert camera.is_connected()
        assert not camera.is_connected()


def test_other_threads_run_while_one_waits() -> None:
    with astrobackend.open("sim://?speed=1") as observatory, observatory.camera() as camera:
        turns = 0
        done = threading.Event()

        def count() -> None:
            nonlocal turns
            while not done.wait(0.001):
                turns += 1

        counting = threading.Thread(target=count)
        counting.start()
        camera.expose(0.5, binning=4)
        done.set()
        counting.join()
        assert turns > 50


def test_many_threads_share_a_device() -> None:
    with astrobackend.open("sim://?speed=1000&sensor=generic") as observatory, observatory.camera() as camera:
        failures: list[BaseException] = []
        taken = []

        def work() -> None:
            try:
                for _ in range(5):
                    camera.state()
                    try:
                        taken.append(camera.expose(0.1).shape)
                    except (astrobackend.Busy, astrobackend.InvalidOperation):
                        camera.frame()
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failures and taken and set(taken) == {(1024, 1280)}


def test_a_call_is_left_at_its_own_deadline(alpaca_address: str) -> None:
    with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
        started = time.monotonic()
        with pytest.raises(astrobackend.Timeout) as late:
            camera.expose(30, timeout=0.2)
        assert time.monotonic() - started < 2 and isinstance(late.value, TimeoutError)
        assert late.value.device == camera.name and not camera.state().busy
        with pytest.raises(astrobackend.InvalidValue):
            camera.state(timeout=-1)
    with astrobackend.open(alpaca_address) as observatory, observatory.camera() as camera:
        with pytest.raises(astrobackend.Timeout, match="state did not finish"):
            camera.state(timeout=0)
        assert camera.state(timeout=30).image_ready in (True, False)


def test_a_wait_is_cancelled_from_another_thread() -> None:
    with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
        cancel = astrobackend.Cancel()
        threading.Timer(0.1, cancel.cancel).start()
        with pytest.raises(astrobackend.Cancelled):
            camera.expose(60, cancel=cancel)
        assert cancel.is_cancelled() and not camera.state().busy


def test_an_exception_of_the_one_who_is_told_ends_the_exposure() -> None:
    with astrobackend.open("sim://") as observatory, observatory.camera() as camera:

        def told(progress: astrobackend.Progress) -> None:
            raise ZeroDivisionError(progress.status)

        with pytest.raises(ZeroDivisionError):
            camera.expose(60, on_progress=told)
        assert not camera.state().busy


def test_import_is_quick_and_pulls_in_nothing_large() -> None:
    done = run(
        """
        import sys
        import astrobackend, pyastrobackend, pyastrobackend.BackendConfig, pyastrobackend.INDIBackend
        large = {"asyncio", "numpy", "astropy", "multiprocessing", "http", "xml"} & set(sys.modules)
        assert not large, large
        """
    )
    assert done.returncode == 0, done.stderr


def test_the_log_is_quiet_until_asked_for() -> None:
    program = """
        import astrobackend, logging, sys
        {setup}
        with astrobackend.open("sim://?speed=100") as observatory, observatory.focuser() as focuser:
            focuser.move_to(20000)
    """
    quiet = run(program.format(setup=""))
    assert quiet.returncode == 0 and quiet.stderr == quiet.stdout == ""


def test_the_log_of_the_library_reaches_logging() -> None:
    done = run(
        """
        import astrobackend, logging, sys
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
        with astrobackend.open("sim://") as observatory, observatory.camera() as camera:
            events = observatory.events()
            camera.disconnect()
            while events.next(1):
                pass
        """
    )
    assert done.returncode == 0, done.stderr
    assert "astrobackend INFO" in done.stdout and "Camera Simulator: disconnected" in done.stdout, done.stdout
