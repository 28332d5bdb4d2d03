"""Run examples/asterisk as its README says: sandbox LCM, host, Asterisk, a phone, sipp as the customers.

Prints what `check` says, and then as JSON the agent's attempt and Asterisk's channels, while they talk and
after. The words: the folder with Asterisk's files, the host's config file, perhaps a file of contacts.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.telephony.bench.asterisk import asterisk
from tests.telephony.bench.customer import customers
from tests.telephony.bench.engines import asterisk_root
from tests.telephony.bench.processes import running, wait_until
from tests.telephony.bench.softphone import softphone

PHONE = "<sip:1001@127.0.0.1>;auth_user=1001;auth_pass=change-me-too;regint=60"
AGENT = "http://127.0.0.1:8765/v1/agents/1001"


def lcm_plugin(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("lcm-plugin")), *words]


def attempt() -> dict[str, Any]:
    with urllib.request.urlopen(AGENT, timeout=5) as reply:
        return json.load(reply)["attempt"] or {}


def say(seen: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")


def connected() -> bool:
    return [call["state"] for call in attempt().get("calls", ())] == ["connected"]


def listens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def main(example: Path, config: str, *contacts: str) -> None:
    """The README's steps. `contacts`: a file of them, where the sandbox is not to make them up."""
    lists = ("--contacts", *contacts) if contacts else ()
    with ExitStack() as stack:
        sipp = stack.enter_context(customers(5070))
        defaults = asterisk_root() / "etc" / "asterisk"
        pbx = stack.enter_context(asterisk(sipp.port, defaults, example, http_port=8088, sip_port=5060))
        stack.enter_context(softphone(account=PHONE, answers="auto"))
        wait_until(
            lambda: "1001/" in pbx.command("pjsip show contacts"), seconds=10, what="the phone registers"
        )
        stack.enter_context(running(lcm_plugin("sandbox", "--port", "8089", *lists)))
        wait_until(lambda: listens(8089), seconds=10, what="the sandbox listens")
        subprocess.run(lcm_plugin("check", "--config", config), check=True)  # noqa: S603  (our own command)
        stack.enter_context(running(lcm_plugin("run", "--config", config)))
        wait_until(lambda: listens(8765), seconds=10, what="the host listens")
        ready = json.dumps({"state": "ready", "endpoint": "PJSIP/1001"}).encode()
        urllib.request.urlopen(urllib.request.Request(AGENT, data=ready, method="PUT"), timeout=5).close()
        wait_until(connected, seconds=15, what="they talk")
        say({"attempt": attempt(), "channels": pbx.channels()})
        wait_until(lambda: not connected(), seconds=20, what="it ends")
        time.sleep(0.5)
        say({"attempt": attempt(), "channels": pbx.channels()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
