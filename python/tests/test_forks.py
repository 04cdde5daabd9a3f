"""Other processes: forked children, multiprocessing, what crosses from one to the other."""

from __future__ import annotations

import multiprocessing
import sys

import astrobackend
import pytest
from conftest import run, unix


@unix
def test_the_old_package_connects_anew_in_a_forked_child() -> None:
    done = run(
        """
        import os, sys
        from pyastrobackend.SIMBackend import DeviceBackend
        backend = DeviceBackend()
        assert backend.connect() and backend.newCamera().connect("")
        child = os.fork()
        if child == 0:
            assert backend.connect() and backend.newCamera().connect("")
            os._exit(7)
        assert os.waitpid(child, 0)[1] >> 8 == 7
        """
    )
    assert done.returncode == 0, done.stderr


@unix
def test_a_forked_child_may_close_what_its_parent_opened() -> None:
    done = run(
        """
        import astrobackend, os, threading
        observatory = astrobackend.open("sim://")
        stop = threading.Event()
        def ask():
            while not stop.is_set():
                observatory.camera()
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            child = os.fork()
            if child == 0:
                observatory.close()
                os._exit(0)
            os.waitpid(child, 0)
        stop.set()
        """,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@unix
def test_a_forked_child_opens_its_own() -> None:
    done = run(
        """
        import astrobackend, os
        observatory = astrobackend.open("sim://?speed=100&sensor=generic")
        camera = observatory.camera()
        camera.connect()
        camera.expose(1)
        child = os.fork()
        if child == 0:
            try:
                camera.state()
            except astrobackend.InvalidOperation as error:
                assert "forked" in str(error)
            with astrobackend.open("sim://?speed=100&sensor=generic") as own, own.camera() as other:
                assert other.expose(1).shape == (1024, 1280)
            del camera, observatory
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert camera.expose(1).shape == (1024, 1280)
        """
        if sys.version_info >= (3, 9)
        else ""
    )
    assert done.returncode == 0, done.stderr


@unix
def test_a_forked_child_leaves_the_connection_of_its_parent_alone(indi_address: str) -> None:
    done = run(
        """
        import astrobackend, gc, os, sys
        observatory = astrobackend.open(sys.argv[1] if len(sys.argv) > 1 else os.environ["ADDRESS"])
        camera = observatory.camera()
        camera.connect()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                del camera, observatory
                gc.collect()
                sys.exit(0)
            os.waitpid(child, 0)
        assert camera.expose(0.1, timeout=30).width
        assert observatory.link().status == "up"
        """,
        ADDRESS=indi_address,
    )
    assert done.returncode == 0, done.stderr


def shape_of_a_picture(speed: int) -> tuple[int, ...]:
    with astrobackend.open(f"sim://?speed={speed}&sensor=generic") as observatory, observatory.camera() as camera:
        return camera.expose(1).shape


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(shape_of_a_picture, [100, 200, 300]) == [(1024, 1280)] * 3


def test_errors_cross_process_borders() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(astrobackend.Timeout("the slew did not finish", "Mount", 0xFF0)))
    assert type(error) is astrobackend.Timeout
    assert (str(error), error.device, error.code) == ("Mount: the slew did not finish", "Mount", 0xFF0)
