"""A softphone: baresip, without sound, told what to do over its control socket (netstrings of JSON)."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from attrs import field, frozen

from tests.telephony.bench.processes import free_port, running, wait_until

CONFIG: Final = """\
sip_listen 127.0.0.1:{sip_port}
net_interface 127.0.0.1
audio_source aubridge,nil
audio_player aubridge,nil
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports 22000-22999
module_path {modules}
module g711.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control_port}
"""
_MODULES: Final = ("/usr/lib/baresip/modules", "/usr/lib64/baresip/modules")


@frozen(kw_only=True)
class Softphone:
    """A running baresip: where its phone and its control socket listen, both on 127.0.0.1."""

    process_id: int = 0
    sip_port: int = field(factory=lambda: free_port(and_next=True))
    """It takes the next port too, for TLS."""
    control_port: int = field(factory=free_port)


@contextmanager
def softphone(
    *,
    account: str = "<sip:agent@127.0.0.1:{sip_port}>;regint=0",
    answers: Literal["auto", "manual"] = "manual",
) -> Iterator[Softphone]:
    """A softphone with one account, answering by itself or not."""
    phone = Softphone()
    with tempfile.TemporaryDirectory(prefix="baresip-") as folder:
        modules = next(path for path in _MODULES if Path(path).is_dir())
        ports = {"sip_port": phone.sip_port, "control_port": phone.control_port}
        line = account.format(**ports) + f";answermode={answers};audio_codecs=PCMU/8000/1\n"
        Path(folder, "config").write_text(CONFIG.format(modules=modules, **ports), encoding="utf-8")
        Path(folder, "accounts").write_text(line, encoding="utf-8")
        Path(folder, "contacts").touch()
        with running(["baresip", "-f", folder, "-4"], cwd=folder) as process:
            wait_until(lambda: _listens(phone.control_port), seconds=10, what="baresip is ready")
            yield Softphone(process_id=process.pid, **ports)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
