"""For every test: no network, and a test that tries it fails."""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from engine.models.offline import switch_off_network

# A worker of pytest-xdist says that its terminal has 80 columns; a program on a pty would believe that, not the pty.
for size in ("COLUMNS", "LINES"):
    os.environ.pop(size, None)

# Programs that tests start keep what they compile, as installed ones do: Textual's modules alone take 0.3 s each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Speed is no property under test, and a busy machine must not fail one.
settings.register_profile("minegap", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("minegap")
switch_off_network()  # read once, when a model library is first imported


def _is_local(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def _own_runtime_directory() -> Iterator[None]:
    """Engines of the tests neither meet the user's own nor wait for the device that these draw on."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="mg-") as directory:
        patch.setenv("XDG_RUNTIME_DIR", directory)
        yield


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail any attempt of this process to reach another machine or to look one up."""
    attempts: list[str] = []
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(what: str) -> OSError:
        attempts.append(what)
        return OSError(f"a test tried to reach {what}")

    def guarded_connect(self: socket.socket, address: Any) -> Any:
        if _is_local(self.family, address):
            return connect(self, address)
        raise refuse(str(address))

    def guarded_connect_ex(self: socket.socket, address: Any) -> Any:
        if _is_local(self.family, address):
            return connect_ex(self, address)
        raise refuse(str(address))

    def guarded_lookup(host: Any, *rest: Any, **options: Any) -> Any:
        if host is None or _is_local(socket.AF_INET, (host,)):
            return lookup(host, *rest, **options)
        raise refuse(str(host))

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_lookup)
    yield
    assert not attempts, f"this test tried to reach the network: {attempts}"
