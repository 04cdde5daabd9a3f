"""ASCOM Alpaca servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astrobackend import NotConnected

from ._common import backend
from ._common.guard import FAILURES, log
from .Alpaca.AlpacaDevice import NOTHING, path_of
from .Alpaca.Camera import Camera
from .Alpaca.FilterWheel import FilterWheel
from .Alpaca.Focuser import Focuser
from .Alpaca.Mount import Mount

USUAL = "127.0.0.1", 11111, "alpaca://127.0.0.1:11111"


class DeviceBackend(backend.DeviceBackend):
    """The devices of an Alpaca server. Paths of devices are `camera/0`, as in its URLs."""

    _name = "ALPACA"
    _schemes = ("alpaca", "http")
    _camera = Camera
    _filter_wheel = FilterWheel
    _focuser = Focuser
    _mount = Mount

    def __init__(self, ip: str = "127.0.0.1", port: int = 11111, *, address: str | None = None) -> None:
        address = address or backend.server_address(self._schemes, ip, port, USUAL)
        if address.startswith("http://") and "/api/" not in address:
            # A server's address as browsers have it; those of devices are understood as they are.
            address = "alpaca" + address[len("http") :]
        super().__init__(address)

    def get_prop(self, path: str, prop: str, params: Mapping[str, Any] = NOTHING, returndict: bool = False) -> Any:
        """The value of a device's member, or with `returndict` the whole reply; None when that fails."""
        reply = self.get_request(f"{path}/{prop}", params)
        if returndict:
            return reply
        return reply["Value"] if self._verify_response(reply) and "Value" in reply else None

    def set_prop(self, path: str, prop: str, params: Mapping[str, Any] = NOTHING) -> bool:
        """Writes or calls a device's member; True when the device took it."""
        return self._verify_response(self._exchange("put", f"{path}/{prop}", params))

    def get_request(self, path: str, params: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
        """The whole reply to a GET of `camera/0/gain`; empty when nothing came."""
        return self._exchange("get", path, params)

    def get_base64(self, path: str) -> bytes | None:
        """The last image of a camera in base64: 32-bit numbers with the little end first, column by column."""
        import base64

        import numpy

        try:
            if self.observatory is None:
                return None
            info = next(info for info in self.observatory.devices() if path_of(info) == path)
            image = numpy.asarray(self.observatory.camera(info.name).image())
        except (*FAILURES, StopIteration) as error:
            log.warning("image of %s: %s", path, error)
            return None
        return base64.b64encode(image.T.astype("<i4").tobytes())

    def _exchange(self, verb: str, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if self.observatory is None:
                raise NotConnected("the backend is not connected")
            return self.observatory.alpaca(verb, path, dict(params))
        except FAILURES as error:
            log.warning("%s %s: %s", verb, path, error)
            return {}

    def _verify_response(self, reply: Mapping[str, Any]) -> bool:
        """True for the reply of a device that did as it was told."""
        if reply.get("ErrorNumber"):
            log.warning("Alpaca error %#x: %s", reply["ErrorNumber"], reply.get("ErrorMessage"))
        return reply.get("ErrorNumber") == 0

    def _base_url(self) -> str:
        """What the URLs of all devices begin with."""
        address = self.observatory.address if self.observatory else self.address
        server = address.partition("://")[2].partition("/")[0].partition("?")[0]
        return f"http://{server}/api/v1"

    def _name_of(self, info: Any) -> str:
        return "ALPACA:" + path_of(info).replace("/", ":")
