"""Filter wheels with ASCOM drivers."""

from __future__ import annotations

from .._common import filter_wheel


class FilterWheel(filter_wheel.FilterWheel):
    """A filter wheel; its name is the ProgID of its driver."""

    _framework = "ASCOM"
    _releases = True
