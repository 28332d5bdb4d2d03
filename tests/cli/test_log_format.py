"""Logs for machines: a JSON object on each line, with what it is about as fields."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from lcm_plugin.log_lines import JsonLines
from tests.cli.test_cli import lcm_plugin


def told(message: str, *args: object, exc_info: Any = None) -> dict[str, str]:
    record = logging.LogRecord("lcm_plugin.desk", logging.WARNING, "", 0, message, args, exc_info)
    found: dict[str, str] = json.loads(JsonLines().format(record))
    return found


def test_a_record_names_what_it_is_about() -> None:
    """The attempt, the agent and the key that the text names, whatever stands between them."""
    line = told("%d of attempt %s: agent %s has key %s (%.1f s)", 3, "a-1", "alice", "0|7", 1.5)
    assert (line["attempt"], line["agent"], line["key"]) == ("a-1", "alice", "0|7")
    assert line["message"] == "3 of attempt a-1: agent alice has key 0|7 (1.5 s)"
    assert (line["level"], line["logger"]) == ("warning", "lcm_plugin.desk")
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize("text", ["nothing", "an agent, and no more", "100 % of attempt"])
def test_what_names_nothing_has_no_fields(text: str) -> None:
    """A text without them is a text."""
    assert set(told(text)) == {"at", "level", "logger", "message"}


def test_an_agent_s_name_forges_no_record() -> None:
    """Whatever a text from outside holds, a record is one line."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "agent %s", ('a\n{"level": "error"}',), None)
    assert JsonLines().format(record).count("\n") == 0


def test_a_traceback_is_a_field_and_masked() -> None:
    """It is part of its record, and a number in it is masked."""
    try:
        raise OSError("no route to +12125550123")  # noqa: TRY301  (what is caught is logged)
    except OSError:
        line = told("attempt %s failed", "a-1", exc_info=sys.exc_info())
    assert "OSError" in line["traceback"]
    assert "2125550123" not in line["traceback"]


@pytest.mark.real_time
def test_the_command_line_logs_so(tmp_path: Path) -> None:
    """A command logs each step of a contact's way as an object; what it says itself stays as it is."""
    done = lcm_plugin("-v", "--log-format", "json", "demo", "--contacts", "3")
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    steps = [line["message"] for line in lines if line["logger"] == "lcm_plugin.desk" and "attempt" in line]
    states = [step.split(" is ")[1].split(":")[0] for step in steps]
    assert {"offered", "dialing", "calling", "ended", "closed"} <= set(states)
    assert "requested" not in states
