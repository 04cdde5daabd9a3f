"""Alpaca mounts."""

from __future__ import annotations

from .._common import mount
from .AlpacaDevice import AlpacaDevice

PIEREAST = 0
PIERWEST = 1
"""Alpaca's numbers of the sides of the pier."""


class Mount(AlpacaDevice, mount.Mount):
    """A mount of an Alpaca server."""
