"""The commands, as a user runs them: real subprocesses."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cti_hooks import HookOverrunError, Host
from lcm_plugin.cli import main
from lcm_plugin.plugin import lcm_of
from lcm_plugin.pytest_plugin import in_a_thread
from lcm_plugin.sandbox import Sandbox, SandboxContact
from tests.people import GROUP

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"

PERSON = {"key": "5|3|1|0|0|44|1", "phone_number": "+12125550101", "campaign_group": GROUP, "consent": "Yes"}


def lcm_plugin(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(PROGRAM), *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)  # noqa: S603  (our own program)


@contextmanager
def sandbox(tmp_path: Path, people: list[dict[str, Any]], *faults: str) -> Iterator[str]:
    """The URL of a sandbox that this process serves beside the commands."""
    contacts = tmp_path / "people.json"
    contacts.write_text(json.dumps(people))
    with in_a_thread(Sandbox(contacts=SandboxContact.read(contacts))) as lcm:
        for fault in faults:
            lcm.order(fault)
        yield lcm.url


@contextmanager
def sandbox_command(tmp_path: Path, people: list[dict[str, Any]], *arguments: str) -> Iterator[str]:
    """The URL of a sandbox of a process of its own, as its users start it."""
    contacts = tmp_path / "people.json"
    contacts.write_text(json.dumps(people))
    command = [str(PROGRAM), "sandbox", "--contacts", str(contacts), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603  (our own program)
        try:
            assert running.stdout is not None
            yield running.stdout.readline().strip()
        finally:
            running.terminate()
            running.wait(timeout=10)


def config(tmp_path: Path, url: str, **lcm: Any) -> Path:
    table = {"url": url, "source": "cli", "timezone": "America/New_York", "campaign_groups": [GROUP], **lcm}
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    path = tmp_path / "cti.toml"
    path.write_text("\n".join(['[cti]\nplugins = ["lcm"]\n[plugins.lcm]', *lines]))
    return path


def test_demo_adds_up() -> None:
    """The demo ends by itself, and what was handed out is what was placed and refused."""
    done = lcm_plugin("demo", "--contacts", "8", "--agents", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it adds up" in done.stdout
    assert "+1212" not in done.stdout


def test_next_prints_a_contact(tmp_path: Path) -> None:
    """One contact as JSON on standard output, with its field names, and what speaks against calling it."""
    with sandbox(tmp_path, [PERSON]) as url:
        done = lcm_plugin("next", "--config", config(tmp_path, url), "--agent", "1001")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["key"] == PERSON["key"]
    assert found["e164"] == found["phone_number"] == PERSON["phone_number"]
    assert found["consent"] == "given"
    assert found["expires_at"][-6] in "+-"
    assert found["refusals"] == []


def test_next_shows_refusals_and_still_succeeds(tmp_path: Path) -> None:
    """A contact that may not be called is printed with the reason, status 0."""
    with sandbox(tmp_path, [PERSON], "spelling,variant=bad_expiry") as url:
        done = lcm_plugin("next", "--config", config(tmp_path, url), "--agent", "1001")
    assert done.returncode == 0
    assert [refusal["rule"] for refusal in json.loads(done.stdout)["refusals"]] == ["expiry"]


STATUSES = [
    ([], (), 3, "no contact now"),
    ([PERSON], ("reject,status=403",), 5, "check auth"),
    ([PERSON], ("spelling,variant=no_number",), 6, "has no number"),
    ([PERSON], ("redirect",), 6, "redirects are not followed"),
    ([PERSON], ("busy,status=503,retry_after=60",), 4, "503"),
]


@pytest.mark.parametrize(
    ("people", "fault", "status", "said"), STATUSES, ids=[str(one[2:]) for one in STATUSES]
)
def test_next_has_a_status_for_each_failure(
    tmp_path: Path, people: list[dict[str, Any]], fault: tuple[str, ...], status: int, said: str
) -> None:
    """3 none, 4 unavailable, 5 rejected, 6 bad reply; one line on standard error says why."""
    with sandbox(tmp_path, people, *fault) as url:
        done = lcm_plugin(
            "next", "--config", config(tmp_path, url), "--agent", "1001", "--campaign-group", GROUP
        )
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert done.stdout == ""


async def test_next_where_dialing_is_stopped(tmp_path: Path) -> None:
    """Nothing is fetched at a stopped site: status 3, and who stopped it on standard error."""
    with sandbox(tmp_path, [PERSON]) as url:
        path = config(tmp_path, url)
        async with Host.from_config(path, observes=True) as host:
            await lcm_of(host).stop_dialing(actor="sue")
        done = await asyncio.to_thread(lcm_plugin, "next", "--config", path, "--agent", "1001")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("sue stopped dialing at ")


def test_next_without_an_lcm_is_unavailable(tmp_path: Path) -> None:
    """An LCM that is down is status 4."""
    done = lcm_plugin("next", "--config", config(tmp_path, "http://127.0.0.1:9/message"), "--agent", "1001")
    assert done.returncode == 4
    assert "cannot be reached" in done.stderr


THREE_MISTAKES = """
[cti]
plugins = ["lcm", "lopback"]
[plugins.lcm]
url = "http://127.0.0.1:8088/message"
source = "cti-host"
timezon = "America/New_York"
consent = "wth"
"""

SERVICES = [
    ("prot = 1", 'service.prot: unknown key; did you mean "port"?'),
    ('token_env = "NOT_SET_ANYWHERE"', "service.token_env: the environment has no variable NOT_SET_ANYWHERE"),
    ('host = "0.0.0.0"', "service.token_env: is required, as 0.0.0.0 is no loopback address"),
]


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("line", "said"), SERVICES, ids=[line for line, _ in SERVICES])
def test_a_wrong_service_table_is_told(tmp_path: Path, command: str, line: str, said: str) -> None:
    """`check` refuses the [service] table that `run` refuses, and both tell everything at once; status 2."""
    path = tmp_path / "cti.toml"
    path.write_text(f"{THREE_MISTAKES}[service]\n{line}\n")
    done = lcm_plugin(command, "--config", path)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "plugins.lcm.timezon: " in done.stdout + done.stderr


@pytest.mark.parametrize("command", [("check",), ("next", "--agent", "1"), ("run",)], ids=lambda one: one[0])
def test_all_mistakes_are_told_at_once(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Every mistake of a config file at once, each with its key and the nearest right word; status 2."""
    path = tmp_path / "cti.toml"
    path.write_text(THREE_MISTAKES)
    done = lcm_plugin(*command, "--config", path)
    said = done.stdout + done.stderr
    assert done.returncode == 2
    for key, right in (
        ("lopback", "loopback"),
        ("plugins.lcm.timezon", "timezone"),
        ("plugins.lcm.consent", "with"),
    ):
        (line,) = [one for one in said.splitlines() if key in one]
        assert f'"{right}"' in line
    assert str(path) in said
    assert len(said.splitlines()) <= 4


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "cannot be read"), ("[cti", "is not TOML"), ("", "cti.plugins")],
    ids=["none", "no TOML", "empty"],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    """No file, no TOML, no [cti] table: one clear line that names the file."""
    path = tmp_path / "cti.toml"
    if text is not None:
        path.write_text(text)
    done = lcm_plugin("run", "--config", path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "cti.toml" in done.stderr


@pytest.mark.parametrize("command", ["run", "sandbox"])
def test_an_address_in_use_is_told_in_one_line(tmp_path: Path, command: str) -> None:
    """A port that is taken ends the command with status 1 and one sentence: which it is, and the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "cti.toml"
        path.write_text(f"[cti]\nplugins = []\n[service]\nport = {port}\ntoken_env = 'TOKEN'\n")
        words = ("--config", path) if command == "run" else ("--port", port)
        done = lcm_plugin(command, *words, TOKEN="t" * 32)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"cannot listen on 127.0.0.1 port {port}: address already in use; ")
    assert "port" in line.rpartition(";")[2]


def test_check_of_a_good_config(tmp_path: Path) -> None:
    """A good config and an LCM that answers: status 0, with plugins, origins and the LCM's groups."""
    with sandbox(tmp_path, [PERSON]) as url:
        done = lcm_plugin("check", "--config", config(tmp_path, url), "--probe-reservation", "test-agent")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plugin lcm: lcm-plugin 0.1.0" in done.stdout
    assert f"campaign groups: {GROUP}" in done.stdout
    assert "a fresh download reserves" in done.stdout


def test_check_finds_a_group_the_lcm_does_not_have(tmp_path: Path) -> None:
    """A misspelt campaign group is found before the first agent waits for it."""
    with sandbox(tmp_path, [PERSON]) as url:
        done = lcm_plugin("check", "--json", "--config", config(tmp_path, url, campaign_groups=["AD Manual"]))
    assert done.returncode == 2
    (bad,) = [finding for finding in json.loads(done.stdout) if not finding["good"]]
    assert "no campaign group AD Manual" in bad["seen"]


def test_check_warns_where_nobody_places_calls(tmp_path: Path) -> None:
    """Without a dialer a site can use `next` only: check says so, and calls the file good all the same."""
    with sandbox(tmp_path, [PERSON]) as url:
        file = config(tmp_path, url)
        done = lcm_plugin("check", "--config", file)
        file.write_text(file.read_text().replace('["lcm"]', '["lcm", "loopback"]'))
        with_one = lcm_plugin("check", "--config", file)
    assert (done.returncode, with_one.returncode) == (0, 0)
    assert "WARN dialer: none is enabled, so nobody is called; enable one in [cti] plugins" in done.stdout
    assert "dialer" not in with_one.stdout


def test_check_of_an_lcm_that_is_down(tmp_path: Path) -> None:
    """An LCM that cannot be reached is said so, status 2."""
    done = lcm_plugin("check", "--config", config(tmp_path, "http://127.0.0.1:9/message"))
    assert done.returncode == 2
    assert "BAD  LCM: the LCM cannot be reached" in done.stdout


SAMPLE = {
    "channel": "LCM",
    "topic": "WebService",
    "subtopic": "DownloadContactsForDialing",
    "message": {
        "response": {"PhoneNumber": "1234567890", "AccountNumber": "0|0|000|0|0|00|1234", "Consent": "Yes"}
    },
}


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [(SAMPLE, 0, "0|0|000|0|0|00|1234"), ({**SAMPLE, "subtopic": "ContactOD"}, 2, "to another message")],
    ids=["good", "bad"],
)
def test_check_of_a_sample(tmp_path: Path, reply: dict[str, Any], status: int, said: str) -> None:
    """A reply of the site's LCM: the contact it becomes, or why not; no LCM is needed."""
    sample = tmp_path / "reply.json"
    sample.write_text(json.dumps(reply))
    done = lcm_plugin("check", "--config", config(tmp_path, "http://127.0.0.1:9/"), "--sample", sample)
    assert done.returncode == status
    assert said in done.stdout


def test_check_of_a_sample_asks_every_rule(tmp_path: Path) -> None:
    """A sample's contact is reviewed by policies that have read their files: only what they know is told."""
    (tmp_path / "dnc.txt").write_text("+12125550102\n")
    file = config(tmp_path, "http://127.0.0.1:9/")
    text = file.read_text().replace('["lcm"]', '["do-not-call", "call-caps", "lcm"]')
    file.write_text(f'{text}\n[plugins.do-not-call]\nfile = "dnc.txt"\n')
    found = [_sampled(tmp_path, file, number) for number in ("2125550101", "2125550102")]
    assert [[one["rule"] for one in contact["refusals"]] for contact in found] == [[], ["do-not-call"]]


@pytest.mark.parametrize("command", [("check",), ("explain", "--json")], ids=["check", "explain"])
def test_half_a_character_in_a_sample_is_shown_escaped(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A lone surrogate or an order to a terminal, of an LCM, ends in no traceback and no order."""
    sample = tmp_path / "reply.json"
    person = {
        "PhoneNumber": "2125550101",
        "AccountNumber": "0|1",
        "Consent": "Yes",
        "FName": "\ud800 Åse\x9b2J",
    }
    sample.write_text(json.dumps({**SAMPLE, "message": {"response": person}}))
    done = lcm_plugin(*command, "--config", config(tmp_path, "http://127.0.0.1:9/"), "--sample", sample)
    assert "Traceback" not in done.stderr
    assert r"\ud800 Åse\u009b2J" in done.stdout


def _sampled(tmp_path: Path, file: Path, number: str) -> dict[str, Any]:
    """What `check` shows of a sample with this contact."""
    sample = tmp_path / "reply.json"
    person = {
        "PhoneNumber": number,
        "AccountNumber": "0|1",
        "Consent": "Yes",
        "ExpiryTime": "12/31/2030 10:00:00",
    }
    sample.write_text(json.dumps({**SAMPLE, "message": {"response": person}}))
    done = lcm_plugin("check", "--config", file, "--sample", sample, "--json")
    shown: dict[str, Any] = json.loads(done.stdout)[-1]["detail"][0]
    return shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fault", "dorp"), 'did you mean "drop"?'),
        (("--fault", "late,secs=1"), 'did you mean "seconds"?'),
        (("--fault", "spelling,variant=array_"), 'did you mean "array"?'),
        (("--contacts", "nowhere.json"), "nowhere.json cannot be read"),
        (("--callbacks", "fersh"), "'reserved', 'fresh', 'both'"),
    ],
    ids=str,
)
def test_a_wrong_order_to_the_sandbox_is_told(arguments: tuple[str, ...], said: str) -> None:
    """A fault or file that is none is told with what would be right, status 2."""
    done = lcm_plugin("sandbox", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_sandbox_is_told_where_callbacks_come_from(tmp_path: Path) -> None:
    """`sandbox --callbacks` has a due personal callback come with fresh downloads; else they give none."""
    due = {**PERSON, "due_in": 0, "personal_agent": "1001"}
    found = []
    for arguments in [(), ("--callbacks", "fresh")]:
        with sandbox_command(tmp_path, [due], *arguments) as url:
            file = config(tmp_path, url, reserved_first=False)
            found.append(lcm_plugin("next", "--config", file, "--agent", "1001").returncode)
    assert found == [3, 0]


def test_next_asks_for_what_is_reserved(tmp_path: Path) -> None:
    """A personal callback that is due is what `next` gives, before any fresh contact."""
    due = {**PERSON, "key": "due", "due_in": 0, "personal_agent": "1001"}
    with sandbox(tmp_path, [PERSON, due]) as url:
        done = lcm_plugin("next", "--config", config(tmp_path, url), "--agent", "1001")
    told = json.loads(done.stdout)
    assert (told["key"], told["call_type"], told["reserved"]) == ("due", "personal_callback", True)


def test_check_says_what_the_lcm_lacks(tmp_path: Path) -> None:
    """Without GetReservedManualDialContact: check names it, what that means and the way out; status 2."""
    with sandbox(tmp_path, [PERSON], "reject,status=404,message=GetReservedManualDialContact") as url:
        done = lcm_plugin("check", "--config", config(tmp_path, url))
    assert done.returncode == 2
    (bad,) = [line for line in done.stdout.splitlines() if line.startswith("BAD")]
    assert "GetReservedManualDialContact is not answered" in bad
    assert "personal callbacks are not found" in bad
    assert 'recover_with = "GetDownloadContactsForDialing"' in bad


@pytest.mark.parametrize(("callid", "told"), [("", True), ("33301", False)])
def test_check_says_that_screen_pop_needs_a_callid(tmp_path: Path, callid: str, *, told: bool) -> None:
    """`screen_pop` without `callid` brings nothing, and check says so; a site may add one by a hook."""
    with sandbox(tmp_path, [PERSON]) as url:
        file = config(tmp_path, url, screen_pop=True, callid=callid)
        done = lcm_plugin("check", "--config", file)
    assert done.returncode == 0
    assert ("WARN screen_pop: GetScreenPopData is refused without a callid" in done.stdout) is told


def test_every_command_says_what_it_does() -> None:
    """--help lists the commands, each with what it does in a whole sentence."""
    done = lcm_plugin("--help")
    for command in ("demo", "run", "check", "next", "sandbox", "attempts", "explain"):
        (line,) = [one for one in done.stdout.splitlines() if one.startswith(f"  {command} ")]
        assert line.endswith((".", "?"))
        assert not line.endswith("...")


def test_next_comes_back_until_it_is_answered(tmp_path: Path) -> None:
    """Asked again, `next` prints the same contact: its attempt stays offered, and the LCM is asked once."""
    with sandbox(tmp_path, [PERSON, {**PERSON, "key": "5|3|1|0|0|44|2"}]) as url:
        file = config(tmp_path, url)
        keys = [json.loads(lcm_plugin("next", "--config", file, "--agent", "a").stdout)["key"] for _ in "12"]
        other = json.loads(lcm_plugin("next", "--config", file, "--agent", "b").stdout)["key"]
    assert keys == [PERSON["key"]] * 2
    assert other == "5|3|1|0|0|44|2"


def test_attempts_tells_what_the_ledger_holds(tmp_path: Path) -> None:
    """Open attempts with state, age and host, one with its history, as lines and as JSON; numbers masked."""
    with sandbox(tmp_path, [PERSON]) as url:
        file = config(tmp_path, url)
        missing = lcm_plugin("attempts", "--config", file)
        assert (missing.returncode, "is not there yet" in missing.stderr) == (2, True)
        lcm_plugin("next", "--config", file, "--agent", "a")
    listed = lcm_plugin("attempts", "--config", file, "--open").stdout.strip().split("\t")
    attempt_id, agent, state, *_ = listed
    assert (agent, state, listed[5]) == ("a", "offered", PERSON["key"])
    told = lcm_plugin("attempts", "--config", file, attempt_id).stdout
    steps = [line.split()[2] for line in told.splitlines() if line.startswith("20")]
    assert steps == ["requested", "offered", "offered"]
    assert "2125550101" not in told + "".join(listed)
    story = json.loads(lcm_plugin("attempts", "--config", file, "--json", attempt_id).stdout)
    assert story["contact"]["key"] == PERSON["key"]
    assert [line["state"] for line in story["history"]] == ["requested", "offered", "offered"]
    assert story["history"][-1]["reason"] == "the host stops"
    everything = json.loads(lcm_plugin("attempts", "--config", file, "--json").stdout)
    assert [one["id"] for one in everything] == [attempt_id]


def test_attempts_with_wrong_words_says_what_would_be_right(tmp_path: Path) -> None:
    """An unknown id, an unknown key, an open one, or other words: one line, and nothing is changed."""
    with sandbox(tmp_path, [PERSON]) as url:
        file = config(tmp_path, url)
        lcm_plugin("next", "--config", file, "--agent", "a")
    unknown = lcm_plugin("attempts", "--config", file, "0")
    assert (unknown.returncode, "has no attempt 0" in unknown.stderr) == (3, True)
    held = lcm_plugin("attempts", "--config", file, "forget", PERSON["key"])
    assert (held.returncode, "is open; forget it once it has ended" in held.stderr) == (1, True)
    nobody = lcm_plugin("attempts", "--config", file, "forget", "'\\\"|")
    assert (nobody.returncode, "knows nobody of the key '\\\"|" in nobody.stderr) == (3, True)
    assert "forget KEY" in lcm_plugin("attempts", "--config", file, "drop", "everything", "now").stderr


def test_a_copied_ledger_has_to_be_adopted(tmp_path: Path) -> None:
    """A copy is refused with the way out, and used once a person says that the original is not."""
    with sandbox(tmp_path, [PERSON]) as url:
        file = config(tmp_path, url)
        lcm_plugin("next", "--config", file, "--agent", "a")
        original = tmp_path / "lcm-ledger.db"
        copy = tmp_path / "copy.db"
        copy.write_bytes(original.read_bytes())
        original.unlink()
        copy.rename(original)
        refused = lcm_plugin("next", "--config", file, "--agent", "a")
        assert (refused.returncode, "is a copy of a ledger" in refused.stderr) == (2, True)
        assert "adopt" in refused.stderr
        assert lcm_plugin("attempts", "--config", file, "adopt").returncode == 0
        again = json.loads(lcm_plugin("next", "--config", file, "--agent", "a").stdout)
    assert again["key"] == PERSON["key"]


def test_check_shows_an_agents_three_names(tmp_path: Path) -> None:
    """Host id, AgentID and endpoint side by side, with what waits for them by the LCM: a wrong one shows."""
    with sandbox(tmp_path, [PERSON]) as url:
        file = config(tmp_path, url)
        lcm_plugin("next", "--config", file, "--agent", "alice@acme")
        named = ("--agent", "1001", "--lcm-id", "alice@acme", "--endpoint", "PJSIP/1001")
        right = lcm_plugin("check", "--config", file, *named).stdout
        wrong = lcm_plugin("check", "--config", file, "--agent", "1001").stdout
    names = "host id 1001, LCM AgentID alice@acme, endpoint PJSIP/1001"
    assert (
        f"ok   agent: {names}; the LCM says: 0 personal and 0 other callbacks, a contact is reserved" in right
    )
    assert "LCM AgentID 1001, endpoint none; the LCM says: 0 personal and 0 other callbacks, nothing" in wrong


def test_next_that_is_cut_off_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that does not answer within the hook's limit is status 4, with one line that says so."""

    async def too_slow(*_: object) -> None:
        raise HookOverrunError("request_next_contact: plugin 'lcm' did not answer within 20 s")

    monkeypatch.setattr("lcm_plugin.commands.next.next_contact", too_slow)
    done = CliRunner().invoke(main, ["next", "--config", "cti.toml", "--agent", "1001"])
    assert done.exit_code == 4
    assert done.stderr == "request_next_contact: plugin 'lcm' did not answer within 20 s\n"
