"""A server that answers as the Python Astroimaging Suite's: no pixels, and an exposure is answered at its end."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

GREETING = {"Event": "Connection", "Server": "pyastroimageview", "Version": "1.0"}
INFO: dict[str, Any] = {
    "binning": [1.0, 1.0], "framesize": [40.0, 30.0], "pixelsize": [5.2, 5.2], "egain": None, "camera_gain": None,
    "camera_offset": None, "camera_usbbandwidth": None, "camera_current_temperature": -5.0,
    "camera_target_temperature": None, "cooler_state": True, "cooler_power": None, "roi": [0.0, 0.0, 40.0, 30.0],
}  # fmt: skip


def fits_of(roi: list[float]) -> bytes:
    """A black picture."""
    width, height = int(roi[2]), int(roi[3])
    cards = {"SIMPLE": "T", "BITPIX": 16, "NAXIS": 2, "NAXIS1": width, "NAXIS2": height}
    header = "".join(f"{keyword:<8}= {value:>20}".ljust(80) for keyword, value in cards.items()) + "END".ljust(80)
    pixels = bytes(2 * width * height)
    return header.ljust(2880).encode() + pixels.ljust(-(-len(pixels) // 2880) * 2880, b"\0")


class Client(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        self.roi = INFO["roi"]
        self.aborted = threading.Event()
        self.say(GREETING)
        for line in self.rfile:
            request = json.loads(line)
            params = request.get("params") or {}
            if request["method"] == "take_image":
                threading.Thread(target=self.expose, args=(request["id"], params), daemon=True).start()
            else:
                self.answer(request["id"], self.result(request["method"], params))

    def say(self, message: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(message).encode() + b"\n")

    def answer(self, number: Any, result: dict[str, Any] | None) -> None:
        error = {"code": -32601, "message": "Method not found"}
        what = {"error": error} if result is None else {"result": result}
        self.say({"jsonrpc": "2.0", "id": number, **what})

    def expose(self, number: Any, params: dict[str, Any]) -> None:
        self.roi = params["roi"] or INFO["roi"]
        self.aborted.clear()
        self.aborted.wait(params["exposure"])
        self.answer(number, {"complete": True})

    def result(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        if method == "save_image":
            with open(params["filename"], "wb") as file:
                file.write(fits_of(self.roi))
        if method == "abort_image":
            self.aborted.set()
        if method in ("save_image", "abort_image", "set_target_temperature", "focuser_move_absolute_position"):
            return {"complete": True}
        answers: dict[str, dict[str, Any]] = {
            "get_camera_info": INFO,
            "get_camera_max_binning": {"camera_max_binning": 4.0},
            "get_camera_egain": {"camera_egain": None},
            "get_camera_gain": {"camera_gain": None},
            "get_current_temperature": {"current_temperature": -5.0},
            "get_target_temperature": {"target_temperature": None},
            "get_cooler_state": {"cooler_state": True},
            "get_cooler_power": {"cooler_power": None},
            "focuser_get_absolute_position": {"absolute_position": 20000.0},
            "focuser_get_max_absolute_position": {"max_absolute_position": 100000.0},
            "focuser_get_current_temperature": {"current_temperature": None},
            "focuser_is_moving": {"is_moving": False},
        }
        return answers.get(method)


@contextmanager
def served() -> Iterator[int]:
    """The server, for a while; its port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Client) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
