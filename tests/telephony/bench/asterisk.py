"""An Asterisk of its own: configured for one run, on free ports of loopback, in the provisioned root."""

import csv
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from tests.telephony.bench.customer import Customer
from tests.telephony.bench.engines import asterisk_root
from tests.telephony.bench.processes import free_port, started, stop, wait_until

CONFIGURATION: Final = Path(__file__).parent / "etc"
DIRECTORIES: Final = Path(__file__).parent / "directories"
"""Where Asterisk keeps what; over every configuration."""
_READY_WITHIN: Final = 20.0


@define(kw_only=True, eq=False)
class Asterisk:
    """Start, stop and look into an Asterisk.

    Attributes:
        folder: its configuration, log and account, as seen from outside its root.
        http_port: of ARI, whose user is `lcm` and password `secret`.
        ami_port: of the manager interface, same user and password.
        sip_port: where phones reach it.
        customer_port: where it reaches the customers, and the agents' phones 1001 to 1004.
    """

    folder: Path
    customer_port: int
    http_port: int = field(factory=free_port)
    ami_port: int = field(factory=free_port)
    sip_port: int = field(factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def ari_url(self) -> str:
        """Where ARI is."""
        return f"http://127.0.0.1:{self.http_port}/ari"

    def configure(self, *sources: Path) -> None:
        """Write the files of these folders for this run, the last one's last: `@NAME@` becomes its value."""
        (self.folder / "etc").mkdir()
        for name in ("log/cel-custom", "spool"):
            (self.folder / name).mkdir(parents=True)
        files = {
            path.name: path
            for source in (*(sources or (CONFIGURATION,)), DIRECTORIES)
            for path in source.glob("*.conf")
        }
        for name, path in files.items():
            text = path.read_text(encoding="latin-1")  # as samples have any, and bytes stay what they are
            (self.folder / "etc" / name).write_text(self._filled(text), encoding="latin-1")

    def _filled(self, text: str) -> str:
        values = {customer.name: customer.value for customer in Customer} | {
            "DIR": self._inside(self.folder),
            "MODULES": self._inside(next(asterisk_root().glob("usr/lib/*/asterisk/modules"))),
            "HTTP_PORT": self.http_port,
            "AMI_PORT": self.ami_port,
            "SIP_PORT": self.sip_port,
            "CUSTOMER_PORT": self.customer_port,
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        return text

    def start(self) -> None:
        """Start it, and return once ARI listens and all its modules are loaded."""
        self.process = started(self._command("-f", "-v"))
        wait_until(self._is_ready, seconds=_READY_WITHIN, what="Asterisk is ready")

    def stop(self) -> None:
        """Let it end, its calls hung up."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            stop(self.process)
            self.process = None

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Let it take connections, and answer none, until `thaw`."""
        if self.process:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)

    def command(self, line: str) -> str:
        """What a line typed at its console prints."""
        order = self._command("-rx", line)
        done = subprocess.run(order, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603  (our own Asterisk)
        return done.stdout

    def channels(self) -> list[str]:
        """The ids of the channels it has now."""
        rows = (line.split("!") for line in self.command("core show channels concise").splitlines())
        return [row[-1] for row in rows if len(row) > 1]

    def account(self, event: str = "CHAN_START") -> list[str]:
        """The ids of the channels it ever started (or, with ANSWER, that were answered), in order."""
        path = self.folder / "log" / "cel-custom" / "channels.csv"
        if not path.exists():
            return []
        return [row[1] for row in csv.reader(path.read_text().splitlines()) if row and row[0] == event]

    def log(self) -> str:
        """Its log."""
        return (self.folder / "log" / "full").read_text(errors="replace")

    def _is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("Asterisk ended while it started")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.http_port)):
                return False
        return "fully booted" in self.command("core waitfullybooted")

    def _command(self, *options: str) -> list[str]:
        config = f"{self._inside(self.folder)}/etc/asterisk.conf"
        return ["/usr/sbin/chroot", str(asterisk_root()), "/usr/sbin/asterisk", "-C", config, *options]

    @staticmethod
    def _inside(path: Path) -> str:
        return f"/{path.relative_to(asterisk_root())}"


@contextmanager
def asterisk(customer_port: int, *sources: Path, **ports: Any) -> Iterator[Asterisk]:
    """A running Asterisk with the files of these folders, the bench's where none; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=asterisk_root() / "srv"))
    one = Asterisk(folder=folder, customer_port=customer_port, **ports)
    try:
        one.configure(*sources)
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder)
