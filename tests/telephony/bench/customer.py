"""The customers: sipp, in one scenario that branches on the number called."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from tests.telephony.bench.processes import free_port, running


class Customer(StrEnum):
    """Numbers, and what becomes of a call to them; where there is one, the Q.850 cause ends the number."""

    ANSWERS = "+12125550100"
    """Rings for 0.1 s, answers and talks until hung up on."""
    UNALLOCATED = "+12125550101"
    BUSY = "+12125550117"
    NOT_ANSWERED = "+12125550119"
    """The network gives up: SIP 480."""
    DECLINES = "+12125550121"
    CONGESTED = "+12125550134"
    RINGS = "+12125550199"
    """Rings until the caller gives up."""


def hangs_up_after(tenths: int) -> str:
    """The number of a customer who answers and hangs up after so many tenths of a second, 99 at most."""
    return f"+131255501{tenths:02}"


@frozen(kw_only=True)
class Sipp:
    """A running sipp: where it listens."""

    port: int
    process_id: int


@contextmanager
def customers(port: int | None = None) -> Iterator[Sipp]:
    """All customers, on loopback."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="sipp-") as folder:
        command = ["sipp", "-sf", str(Path(__file__).with_name("customer.xml")), "-nostdin"]
        command += ["-i", "127.0.0.1", "-mi", "127.0.0.1", "-ci", "127.0.0.1"]
        command += ["-p", str(port), "-mp", str(free_port()), "-cp", str(free_port())]
        command += ["-trace_err", "-error_file", f"{folder}/errors"]
        with running(command, cwd=folder, asked_to_stop=False) as process:
            yield Sipp(port=port, process_id=process.pid)
