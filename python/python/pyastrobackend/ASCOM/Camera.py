"""Cameras with ASCOM drivers."""

from __future__ import annotations

from .._common import camera


class Camera(camera.Camera):
    """A camera; its name is the ProgID of its driver."""

    _framework = "ASCOM"
    _releases = True
    _has_raw_states = True
    _cools_when_set = False
