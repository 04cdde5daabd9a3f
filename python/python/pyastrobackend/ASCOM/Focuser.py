"""Focusers with ASCOM drivers."""

from __future__ import annotations

from .._common import focuser


class Focuser(focuser.Focuser):
    """A focuser; its name is the ProgID of its driver."""

    _framework = "ASCOM"
    _releases = True
