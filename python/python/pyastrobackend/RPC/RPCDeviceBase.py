"""What RPC devices have besides: raw requests to the server, on a connection of their own that only they need."""

from __future__ import annotations

import json
import logging
import socket
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, ClassVar

from astrobackend import NotFound

from .._common.device import Device, device_of
from .._common.guard import FAILURES

log = logging.getLogger(__name__)

LOG_SERVER_TRAFFIC = 1
"""Lines to and from the server go to the log, at its lowest level."""

PORT = 8800
CONNECT_TIMEOUT = 5.0
SEND_TIMEOUT = 5.0
LONGEST_LINE = 1 << 24
KEPT_ANSWERS = 1000
"""Answers that nobody asks for are forgotten, the oldest first."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class RPCDeviceThread(threading.Thread):
    """A connection to an RPC server, and the thread that reads its answers.

    It ends when it is closed or the server goes; `host` may be given by name. `event_callbacks` are told what happens,
    the name of the event first: 'Connection', the server's other events, 'Response', 'Disconnected'.
    """

    def __init__(self, port: int, user_data: Any, *args: Any, **kwargs: Any) -> None:
        self.host: str = kwargs.pop("host", "127.0.0.1")
        self.port = port
        self.user_data = user_data
        self.event_callbacks: list[Callable[..., Any]] = []
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._answers: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._last_id = 0
        self._over = False
        self._changed = threading.Condition()
        kwargs.setdefault("daemon", True)
        super().__init__(*args, **kwargs)

    def initialize(self) -> bool:
        """Connects to the server; True when it is connected."""
        with self._changed:
            if self._socket is None and not self._over:
                try:
                    self._socket = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT)
                    self._socket.settimeout(SEND_TIMEOUT)
                except OSError as error:
                    log.error("RPC server %s:%s: %s", self.host, self.port, error)
            return self._socket is not None

    def run(self) -> None:
        """Reads until the connection ends."""
        try:
            while self.initialize() and self.populate_buffer():
                while (message := self.read_next_json_block()) is not None:
                    self._take(message)
        finally:
            self.server_disconnected()

    def close(self) -> None:
        """Ends the connection and the thread."""
        connection = self._socket
        with self._changed:
            self._over = True
            self._changed.notify_all()
        if connection is not None:
            with suppress(OSError):  # The server may have been faster.
                connection.shutdown(socket.SHUT_RDWR)
        if not self.is_alive():
            self.server_disconnected()
        elif self is not threading.current_thread():
            self.join(SEND_TIMEOUT)

    def server_disconnected(self) -> None:
        """The connection is over: whoever waits for an answer is told."""
        with self._changed:
            connection, self._socket = self._socket, None
            self._over = True
            self._changed.notify_all()
        if connection is not None:
            connection.close()
            self.emit("Disconnected")

    def emit(self, event: str, *args: Any) -> None:
        """Tells an event to all `event_callbacks`."""
        for callback in list(self.event_callbacks):
            try:
                callback(event, *args)
            except Exception:
                log.exception("RPC event %s", event)

    def populate_buffer(self) -> bool:
        """Waits for what the server sends; False at the end of the connection."""
        connection = self._socket
        while not self._over and connection is not None:
            try:
                received = connection.recv(65536)
            except socket.timeout:
                continue
            except OSError as error:
                log.debug("RPC server: %s", error)
                return False
            self._buffer += received
            return bool(received) and len(self._buffer) < LONGEST_LINE
        return False

    def read_next_json_block(self) -> dict[str, Any] | None:
        """The next whole line received, or None; what is no JSON object is passed over."""
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if LOG_SERVER_TRAFFIC:
                log.debug("received %s", line)
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                return message
            log.warning("RPC server: no JSON object: %.80r", line)
        return None

    def queue_rpc_command(self, cmd: str, argsdict: Mapping[str, Any] | None) -> int | None:
        """Sends a request; its number, with which the answer can be asked for, or None when it could not be sent."""
        with self._changed:
            self._last_id += 1
            request: dict[str, Any] = {"method": cmd, "id": self._last_id}
            if argsdict is not None:
                request["params"] = dict(argsdict)
            try:
                line = json.dumps(request, allow_nan=False).encode() + b"\n"
            except ValueError as error:
                log.error("%s: %s", cmd, error)
                return None
            if LOG_SERVER_TRAFFIC:
                log.debug("sending %s", line)
            try:
                if not self.initialize():
                    return None
                assert self._socket is not None
                self._socket.sendall(line)
            except OSError as error:
                log.error("RPC server: %s", error)
                return None
            return self._last_id

    def check_rpc_command_status(self, req_id: int) -> dict[str, Any] | None:
        """The answer to a request, once; None while there is none."""
        with self._changed:
            return self._answers.pop(req_id, None)

    def wait_for_answer(self, req_id: int, timeout: float) -> dict[str, Any] | None:
        """The answer to a request; None when there is none in time, or the connection ends."""
        with self._changed:
            self._changed.wait_for(lambda: req_id in self._answers or self._over, timeout)
            return self._answers.pop(req_id, None)

    def send_polling_response(self) -> None:
        """Shows the server that the client is there."""
        self.queue_rpc_command("polling", None)

    def _take(self, message: dict[str, Any]) -> None:
        if "Event" in message:
            self.emit(str(message["Event"]), message)
            return
        number = message.get("id")
        if not isinstance(number, int):
            log.warning("RPC server: %s", message.get("error", message))
            return
        with self._changed:
            self._answers[number] = message
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
            self._changed.notify_all()
        self.emit("Response", number)


class RPCDevice(Device):
    """A device behind an RPC server. The raw requests are for methods that the classes of the devices do not cover."""

    _framework = "RPC"
    _thread_class: ClassVar[type[RPCDeviceThread]] = RPCDeviceThread
    _thread: RPCDeviceThread | None = None
    _connecting: ClassVar[threading.Lock] = threading.Lock()

    def _let_go(self) -> bool:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()
        return super()._let_go()

    def _find(self, name: str | None) -> Any:
        # The original had no names for devices, so programs pass whatever they like.
        try:
            return super()._find(name)
        except NotFound:
            if self._kind is None:
                raise
            return device_of(self._observatory(), self._kind, None)

    def event_callback(self, event: str, *args: Any) -> None:
        """Called when something happens on the connection for raw requests; for subclasses."""
        log.debug("RPC event %s", event)

    def send_server_request(self, req: str, paramsdict: Mapping[str, Any] | None = None) -> int | None:
        """Sends a raw request; its number for `wait_for_response`, or None when it could not be sent."""
        thread = self._connection()
        return thread.queue_rpc_command(req, paramsdict) if thread else None

    def wait_for_response(self, reqid: int | None, timeout: float = 90) -> dict[str, Any] | None:
        """The answer to a request, with its `result` or `error`; None when there is none in time."""
        thread = self._thread
        return thread.wait_for_answer(reqid, timeout) if thread and reqid is not None else None

    def get_scalar_value(self, value_method: str, value_key: str, value_types: Any) -> Any:
        """One value of what a method answers; None unless it is of one of the types, whole numbers being floats too."""
        value = self._result(value_method, None).get(value_key)
        types = tuple(value_types) if isinstance(value_types, Iterable) else (value_types,)
        if isinstance(value, bool):
            return value if bool in types else None
        if isinstance(value, int) and float in types and int not in types:
            return float(value)
        return value if isinstance(value, types) else None

    def set_scalar_value(self, value_method: str, value_key: str, value: Any) -> bool:
        """Calls a method with one parameter; True when the server did it."""
        return self.send_command(value_method, {value_key: value})

    def get_list_value(self, value_method: str, value_key: str) -> list[Any] | None:
        """One list of what a method answers, or None."""
        value = self._result(value_method, None).get(value_key)
        return value if isinstance(value, list) else None

    def send_command(self, command: str, params: Mapping[str, Any] = NOTHING) -> bool:
        """Calls a method; True when the server did it."""
        result = self._result(command, params)
        return bool(result) and all(value is not False for value in result.values())

    def _result(self, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
        answer = self.wait_for_response(self.send_server_request(method, params))
        if answer is None or "error" in answer:
            log.warning("RPC %s: %s", method, answer["error"] if answer else "no answer")
            return {}
        result = answer.get("result")
        return result if isinstance(result, dict) else {}

    def _connection(self) -> RPCDeviceThread | None:
        with self._connecting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._open_connection()
            return self._thread

    def _open_connection(self) -> RPCDeviceThread | None:
        from urllib.parse import urlsplit

        try:
            server = urlsplit(self._observatory().address)
        except FAILURES as error:
            log.error("RPC: %s", error)
            return None
        thread = self._thread_class(server.port or PORT, None, host=server.hostname or "127.0.0.1")
        tell = weakref.WeakMethod(self.event_callback)
        thread.event_callbacks.append(lambda event, *args: (callback := tell()) and callback(event, *args))
        if not thread.initialize():
            return None
        thread.start()
        weakref.finalize(self, thread.close)
        connections = getattr(self.backend, "connections", None)
        if connections is not None:
            connections.add(thread)
        return thread
