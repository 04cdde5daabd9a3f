"""Every name of the original exists under its path, with its signature and base classes."""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

LINES = [
    line
    for line in (Path(__file__).parent / "data" / "original_api.txt").read_text().splitlines()
    if not line.startswith("#")
]
LINE = re.compile(r"(?P<what>\w+) (?P<path>[\w.]+)(?P<parameters>\(.*\))?(?:: (?P<bases>.+))?(?: = (?P<value>.+))?")


def named(path: str) -> Any:
    """What is found at a path: modules as far as there are any, then attributes."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise LookupError(path)


def wanted_parameters(text: str) -> list[tuple[str, Any]]:
    """Names and defaults, of `(a, b=2)`."""
    arguments = ast.parse(f"def f{text}: pass").body[0].args  # type: ignore[attr-defined]
    names = [argument.arg for argument in arguments.args]
    defaults = [inspect.Parameter.empty] * (len(names) - len(arguments.defaults))
    defaults += [ast.literal_eval(default) for default in arguments.defaults]
    extra = [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    extra += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return list(zip(names, defaults)) + [(name, inspect.Parameter.empty) for name in extra]


def parameters_of(found: Any, is_method: bool) -> list[tuple[str, Any, bool]]:
    """Names, defaults, and whether a caller may leave the parameter out."""
    parameters = list(inspect.signature(found).parameters.values())[is_method:]
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [
        (
            marks.get(parameter.kind, "") + parameter.name,
            parameter.default,
            parameter.kind in marks or parameter.default is not inspect.Parameter.empty,
        )
        for parameter in parameters
    ]


def test_the_list_is_whole() -> None:
    assert len(LINES) == 576


@pytest.mark.parametrize("line", LINES)
def test_it_is_there(line: str) -> None:
    entry = LINE.fullmatch(line)
    assert entry, line
    found = named(entry["path"])
    if entry["value"]:
        value = found.value if isinstance(found, enum.Enum) else found
        assert value == ast.literal_eval(entry["value"])
    if entry["what"] in ("method", "function"):
        assert callable(found)
    for base in (entry["bases"] or "").split(", "):
        assert not base or issubclass(found, named(base))
    if entry["parameters"]:
        wanted = wanted_parameters(entry["parameters"])
        given = parameters_of(found, entry["what"] == "method")
        assert [name for name, _ in wanted] == [name for name, _, _ in given[: len(wanted)]]
        for (name, default), (_, ours, _) in zip(wanted, given):
            assert default is inspect.Parameter.empty or default == ours, f"default of {name}"
        assert all(may_be_left_out for _, _, may_be_left_out in given[len(wanted) :]), "further ones must be optional"


def test_devices_are_of_their_abstract_classes() -> None:
    from pyastrobackend import BaseBackend, SIMBackend

    backend = SIMBackend.DeviceBackend()
    assert isinstance(backend, BaseBackend.BaseDeviceBackend)
    assert isinstance(backend.newCamera(), BaseBackend.BaseCamera)
    assert isinstance(backend.newFocuser(), BaseBackend.BaseFocuser)
    assert isinstance(backend.newFilterWheel(), BaseBackend.BaseFilterWheel)
    assert isinstance(backend.newMount(), BaseBackend.BaseMount)
    for abstract in ("BaseDeviceBackend", "BaseCamera", "BaseFocuser", "BaseFilterWheel", "BaseMount"):
        with pytest.raises(TypeError, match="abstract"):
            getattr(BaseBackend, abstract)()


def test_alpaca_devices_keep_the_order_of_their_bases() -> None:
    from pyastrobackend.Alpaca import Camera
    from pyastrobackend.Alpaca.AlpacaDevice import AlpacaDevice
    from pyastrobackend.BaseBackend import BaseCamera

    order = Camera.Camera.__mro__
    assert order.index(AlpacaDevice) < order.index(BaseCamera)
