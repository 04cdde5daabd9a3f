"""Which backend a program uses: what the environment says, else what is usual on the system."""

from __future__ import annotations

import logging
import os
import threading
from importlib import import_module
from typing import Any, NoReturn

log = logging.getLogger(__name__)

_MODULES = {
    "ASCOM": "ASCOMBackend",
    "ALPACA": "AlpacaBackend",
    "RPC": "RPCBackend",
    "INDI": "INDIBackend",
    "SIM": "SIMBackend",
}

_SCHEMES = {
    "ascom": "ASCOM",
    "alpaca": "ALPACA",
    "http": "ALPACA",
    "rpc": "RPC",
    "indi": "INDI",
    "indi+unix": "INDI",
    "sim": "SIM",
}

LOADED_BACKENDS: dict[str, Any] = {}
"""The backends that `get_backend` has made, by name."""

_loading = threading.Lock()


def get_backend_for_os() -> str:
    """What `PYASTROBACKEND` says, a name or a whole address (`indi://pi`); else ASCOM on Windows, INDI elsewhere."""
    return os.environ.get("PYASTROBACKEND") or ("ASCOM" if os.name == "nt" else "INDI")


def get_backend_choices() -> list[str]:
    """The names that `get_backend` knows."""
    return list(_MODULES)


def get_backend(backend_name: str) -> Any:
    """The backend of a name or a whole address, always the same one for the same name.

    Raises:
        Exception: for a name that there is not; `ModuleNotFoundError` for ASCOM on a system without COM.
    """
    with _loading:
        key = backend_name if ":" in backend_name else backend_name.upper()
        if key not in LOADED_BACKENDS:
            LOADED_BACKENDS[key] = _load(backend_name)
        return LOADED_BACKENDS[key]


def _load(name: str) -> Any:
    scheme, colon, _ = name.partition(":")
    framework = _SCHEMES.get(scheme.lower()) if colon else name.upper()
    if framework not in _MODULES:
        raise Exception(
            f"Error: no implementation for backend {name} available; there are {', '.join(_MODULES)}, "
            "and addresses such as indi://host:7624"
        )
    if framework == "ASCOM" and os.name != "nt":
        _no_com()
    module = import_module(f".{_MODULES[framework]}", __package__)
    return module.DeviceBackend(address=name if colon else None)


def _no_com() -> NoReturn:
    raise ModuleNotFoundError(
        "ASCOM drivers need Windows and its COM, which this system does not have. Use ALPACA to reach the drivers of "
        "a Windows computer (with ASCOM Remote there), INDI for devices on this one, or SIM for simulated ones.",
        name="comtypes",
    )
