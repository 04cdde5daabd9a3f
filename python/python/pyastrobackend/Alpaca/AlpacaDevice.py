"""What Alpaca devices have besides: their names in the original's form, and their members by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from astrobackend import NotFound

from .._common.device import Device, device_of
from .._common.guard import FAILURES, log

NOTHING: Mapping[str, Any] = MappingProxyType({})

TYPES = {"ccd": "camera", "filter": "filterwheel", "mount": "telescope"}
"""Other words for Alpaca's types of devices."""


class AlpacaDevice(Device):
    """A device of an Alpaca server; its name is `ALPACA:camera:0`, the server's own name for it, or its address."""

    _framework = "ALPACA"
    _releases = True

    def get_prop(self, prop: str, params: Mapping[str, Any] = NOTHING, returndict: bool = False) -> Any:
        """The value of a member (`electronsperadu`), or with `returndict` the whole reply; None when that fails."""
        return self._get(prop, params, returndict)

    def set_prop(self, prop: str, params: Mapping[str, Any] = NOTHING) -> bool:
        """Writes or calls a member: `set_prop('gain', {'Gain': 10})`; True when the device took it."""
        return bool(self._ask(lambda path: self.backend.set_prop(path, prop, params)))

    def _get(self, prop: str, params: Mapping[str, Any] = NOTHING, returndict: bool = False) -> Any:
        return self._ask(lambda path: self.backend.get_prop(path, prop, params, returndict))

    def _ask(self, question: Any) -> Any:
        try:
            path = path_of(self._device.info)
        except FAILURES as error:
            log.warning("Alpaca: %s", error)
            return None
        return question(path)

    def _find(self, name: str | None) -> Any:
        form = re.fullmatch(r"alpaca:(\w+):(\d+)", name or "", re.IGNORECASE)
        if form is None:
            return super()._find(name)
        kind = form[1].lower()
        path = f"{TYPES.get(kind, kind)}/{form[2]}"
        observatory = self._observatory()
        for info in observatory.devices():
            if path_of(info) == path and self._kind in (None, info.kind):
                return device_of(observatory, info.kind, info.name)
        raise NotFound(f"there is no {self._kind or 'device'} {name}")


def path_of(info: Any) -> str:
    """`camera/0` of an Alpaca device."""
    return str(info.address).partition("?")[0].partition("://")[2].partition("/")[2]
