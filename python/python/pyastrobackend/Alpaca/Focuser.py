"""Alpaca focusers."""

from __future__ import annotations

from .._common import focuser
from .AlpacaDevice import AlpacaDevice


class Focuser(AlpacaDevice, focuser.Focuser):
    """A focuser of an Alpaca server."""
