"""Start a process, stop it by its id, and the little that goes with it."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_STOPS_WITHIN = 5.0


def free_port(*, and_next: bool = False) -> int:
    """A port of loopback's that is free for UDP and TCP, just now; the one after it too, if wanted."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if all(_is_free(one) for one in (port, port + 1)[: 1 + and_next]):
            return port


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                return False
    return True


def started(command: list[str], *, cwd: str | Path = "/") -> "subprocess.Popen[bytes]":
    """A process of ours, silent."""
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=cwd, stderr=subprocess.DEVNULL, **silent)  # noqa: S603  (the bench's own commands)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end; kill it when it does not."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOPS_WITHIN)
    process.kill()
    process.wait()


@contextmanager
def running(
    command: list[str], *, cwd: str | Path = "/", asked_to_stop: bool = True
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours, for as long as the context; killed where asking it would take long."""
    process = started(command, cwd=cwd)
    try:
        yield process
    finally:
        if not asked_to_stop:
            process.kill()
        stop(process)


def wait_until(seen: Callable[[], object], *, seconds: float, what: str) -> None:
    """Look until it is so.

    Raises:
        TimeoutError: it is not so, within these seconds.
    """
    give_up = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)
