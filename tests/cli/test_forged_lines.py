"""A text from outside is one line, wherever it is shown or logged: it forges none, and steers no terminal."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from lcm_plugin.log_lines import LogLines
from tests.cli.test_cli import config, lcm_plugin

pytestmark = pytest.mark.real_time

FORGED = "G\x1b[2J\nok   ledger: FORGED FINDING\n2026-11-25 10:00:00,000 ERROR lcm_plugin: FORGED\u202e\x9b2J"


@contextmanager
def lcm(reply: Callable[[str], Any]) -> Iterator[str]:
    """An LCM that answers each subtopic with this body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(reply(asked["subtopic"])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (as above)
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.05))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def groups(subtopic: str) -> Any:
    named = {"CampaignGroups": [{"Name": FORGED, "Status": "EXECUTING"}]}
    return {"subtopic": "SetCampaignGroup", "message": {"response": named}} if "Group" in subtopic else {}


def refusal(subtopic: str) -> Any:
    said = {"RequestFailureReason": FORGED, "Contacts": []}
    return {"subtopic": "DownloadContactsForDialing", "message": {"response": said}}


def good_lines(text: str, begin: tuple[str, ...]) -> None:
    assert "FORGED" in text
    assert all(line.startswith(begin) for line in text.splitlines()), text
    assert all(one.isprintable() or one == "\n" for one in text)


def test_a_group_forges_no_finding(tmp_path: Path) -> None:
    """Whatever a campaign group of the LCM's is called, it is part of its own finding."""
    with lcm(groups) as url:
        done = lcm_plugin("check", "--config", config(tmp_path, url))
    good_lines(done.stdout, ("ok   ", "BAD  ", "WARN "))
    assert not any(line.startswith("ok   ledger: FORGED") for line in done.stdout.splitlines())


def test_a_reason_forges_no_line_of_the_log(tmp_path: Path) -> None:
    """What the LCM says of a failure is on its own line, in the log and in the last word."""
    with lcm(refusal) as url:
        done = lcm_plugin("-vv", "next", "--config", config(tmp_path, url, max_requests=1), "--agent", "1")
    assert done.returncode == 5
    good_lines(done.stderr, (f"{datetime.now(UTC):%Y}", "the LCM says", "    "))
    assert not [line for line in done.stderr.splitlines() if line.startswith("2026-11-25 10:00:00,000 ERROR")]


def logged(record: logging.LogRecord) -> list[str]:
    return LogLines().format(record).split("\n")


def record(message: str, **facts: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "x", "levelname": "ERROR", "msg": message, **facts})


def test_a_message_forges_no_record() -> None:
    """What follows a line break in a message is indented, and controls are escaped."""
    first, *others = logged(record(FORGED))
    assert first.endswith(r" ERROR x: G\x1b[2J")
    assert others[0] == "    ok   ledger: FORGED FINDING"
    assert others[1].endswith(r"FORGED\u202e\x9b2J")
    assert all(line.isprintable() for line in others)


def test_a_traceback_forges_no_line_and_shows_no_number() -> None:
    """A traceback's lines are indented, its texts masked: none of them can be taken for another record."""
    try:
        raise ValueError(f"{FORGED} +12125550123 x")  # noqa: TRY301  (as a library would)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    first, *others = logged(record("it failed", exc_info=info))
    assert first.endswith("ERROR x: it failed")
    assert all(line.startswith("    ") and line.isprintable() for line in others)
    assert "ValueError" in "".join(others)
    assert "5550123" not in "".join(others)
