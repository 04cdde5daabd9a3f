"""Mounts with ASCOM drivers."""

from __future__ import annotations

from enum import Enum

from .._common import mount


class PierSide(Enum):
    """ASCOM's numbers of the sides of the pier."""

    EAST = 0
    WEST = 1
    UNKNOWN = -1


class Mount(mount.Mount):
    """A mount; its name is the ProgID of its driver."""

    _framework = "ASCOM"
    _releases = True
