"""Alpaca filter wheels."""

from __future__ import annotations

from .._common import filter_wheel
from .AlpacaDevice import AlpacaDevice


class FilterWheel(AlpacaDevice, filter_wheel.FilterWheel):
    """A filter wheel of an Alpaca server."""
