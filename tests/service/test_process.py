"""The process of `lcm-plugin run`: signals, descriptors, and what it says of them."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from lcm_plugin.service.process import SAID_AGAIN, Complaints

PROGRAM = Path(sys.executable).parent / "lcm-plugin"


@contextmanager
def running(tmp_path: Path, *, limits: str = "", service: str = "") -> Iterator[tuple[Any, str]]:
    """`run` of no plugins, and its URL; standard error goes to a file."""
    config = tmp_path / "cti.toml"
    config.write_text(f"[cti]\nplugins = []\n[service]\nport = 0\n{service}")
    command = f"{limits} exec {PROGRAM} run --config {config}"
    process: Any
    with (tmp_path / "stderr").open("w") as errors:
        process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603, S607  (our own program)
    try:
        yield process, process.stdout.readline().rpartition(" ")[2].strip()
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.stdout.close()


def get(url: str) -> int:
    with urlopen(url, timeout=20) as reply:  # noqa: S310  (our own)
        return int(reply.status)


@pytest.mark.real_time
def test_a_hangup_ends_nothing(tmp_path: Path) -> None:
    """SIGHUP, which a closed terminal sends, is ignored with a line: calls under way would be left."""
    with running(tmp_path) as (process, url):
        os.kill(process.pid, signal.SIGHUP)
        assert get(f"{url}/healthz") == 200
        assert "SIGHUP: nothing is read anew, and calls go on" in (tmp_path / "stderr").read_text()


@pytest.mark.real_time
def test_that_no_token_is_set_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one everybody on the machine is let in, and the log says so; with one it does not."""
    monkeypatch.setenv("API_TOKEN", "t0ken")
    for service, said in (("", True), ('token_env = "API_TOKEN"', False)):
        with running(tmp_path, service=service):
            pass
        assert ("no token is set: every user and program" in (tmp_path / "stderr").read_text()) is said


@pytest.mark.real_time
def test_a_short_token_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of fewer than 16 characters may be guessed: it is taken, and the log says so, not what it is."""
    for token, said in ((15 * "x", True), (16 * "x", False)):
        monkeypatch.setenv("API_TOKEN", token)
        with running(tmp_path, service='token_env = "API_TOKEN"'):
            pass
        told = (tmp_path / "stderr").read_text()
        assert ("the token has fewer than 16 characters and may be guessed" in told) is said
        assert token not in told


@pytest.mark.real_time
def test_the_limit_of_open_files_is_raised_and_kept_to(tmp_path: Path) -> None:
    """A soft limit goes up to the hard one; half requests take neither the files it needs nor its answers."""
    with running(tmp_path, limits="ulimit -Sn 64; ulimit -Hn 256;") as (process, url), ExitStack() as stack:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert [line.split()[3:5] for line in limits.splitlines() if "open files" in line] == [["256", "256"]]
        port = int(url.rpartition(":")[2])
        for _ in range(300):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.send(b"GET / HT")
        held = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        assert held < 256 - 64
        assert get(f"{url}/healthz") == 200
    assert "Too many open files" not in (tmp_path / "stderr").read_text()


async def test_what_cannot_be_accepted_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand tries that fail are two lines, not a thousand; anything else is said as ever."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(Complaints())
    full = {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many")}
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            loop.call_exception_handler(full)
        await asyncio.sleep(SAID_AGAIN)
        loop.call_exception_handler(full)
        loop.call_exception_handler({"message": "something else"})
    assert [record.getMessage() for record in caplog.records] == [
        "no connection can be accepted: [Errno 24] Too many (1 times)",
        "no connection can be accepted: [Errno 24] Too many (1000 times)",
        "something else",
    ]
