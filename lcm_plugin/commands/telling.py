"""What the ledger holds, for people: numbers masked, times as ages, nothing that steers a terminal."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from cti_hooks import Attempt, AttemptPlace, Contact, masked, masked_text, printable
from lcm_plugin.attempts import Listed, Story
from lcm_plugin.ledger import KEPT, DoubtfulAgent, Lease, Letter, LetterState, Message

Row = tuple[str, ...]

ATTEMPT: Final = ("attempt", "agent", "state", "age", "host", "key", "number", "reason")
MESSAGE: Final = ("message", "attempt", "agent", "key", "state", "since", "what", "reason")
DOUBT: Final = ("agent", "since", "group", "reason")
HOST: Final = ("host", "lease", "renewed", "attempts")


def attempt_rows(found: Iterable[Listed], now: datetime) -> list[Row]:
    """A row for each attempt, with what the LCM is still to be told of it beside the reason."""
    return [
        (
            one.attempt.id,
            one.attempt.agent.id,
            _state(one.attempt),
            age(now - (one.attempt.changed_at or one.attempt.opened_at)),
            one.attempt.host,
            one.attempt.contact.key if one.attempt.contact else "",
            masked(one.attempt.contact.phone_number) if one.attempt.contact else "",
            masked_text("; ".join([one.attempt.reason, *map(_said, one.letters)])),
        )
        for one in found
    ]


def _state(attempt: Attempt) -> str:
    comes_next = attempt.place is AttemptPlace.NEXT
    return f"{attempt.state}, next" if comes_next else attempt.state.value


def message_rows(found: Iterable[Message], now: datetime) -> list[Row]:
    """A row for each message to the LCM."""
    return [
        (
            str(one.id),
            one.attempt_id,
            one.agent,
            one.key,
            one.state.value,
            age(now - one.changed_at),
            one.message,
            masked_text(_tried(one)),
        )
        for one in found
    ]


def doubt_rows(found: Iterable[DoubtfulAgent], now: datetime) -> list[Row]:
    """A row for each agent in doubt."""
    return [(one.agent, age(now - one.since), one.campaign_group, masked_text(one.reason)) for one in found]


def host_rows(found: Iterable[Lease], now: datetime) -> list[Row]:
    """A row for each host that lives."""
    return [(one.host, one.id, age(now - one.renewed_at), str(one.open_attempts)) for one in found]


def age(passed: timedelta) -> str:
    """A time as people say it: 12 s, 5 min, 3 h, 2 d."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def told(story: Story) -> list[str]:
    """One attempt, a line for each fact; what to do with a message that waits for a person at the end."""
    attempt = story.attempt
    lines = [
        f"attempt   {attempt.id}",
        f"agent     {attempt.agent.id}",
        f"contact   {_who(attempt.contact)}",
        f"group     {attempt.campaign_group}",
        f"state     {attempt.state}  {attempt.outcome or ''}".rstrip(),
        f"host      {attempt.host}",
    ]
    lines += [
        f"{_at(one.at)}  {one.state:10} {one.host:12} {masked_text(one.reason)}".rstrip()
        for one in story.lines
    ]
    lines += [f"{_at(one.changed_at)}  {masked_text(_said(one))}" for one in story.letters]
    if any(one.state in KEPT for one in story.letters):
        again = f"`lcm-plugin attempts resend {attempt.id}` sends again what is unconfirmed or rejected"
        lines.append(f"{again}, `withdraw` gives it up")
    return [printable(line) for line in lines]


def forgotten(count: int, left: list[Letter]) -> list[str]:
    """What came of forgetting a person: in how many attempts, and what still names that person."""
    kept = [one for one in left if one.state in KEPT]
    lines = [f"{count} attempts know nobody any more"]
    if unsent := len(left) - len(kept):
        lines.append(f"{unsent} messages are still to be sent to the LCM; they are erased once it has them")
    return lines + [
        f"{one.message} is {one.state}, and kept until the LCM has confirmed it:"
        f" `lcm-plugin attempts resend {one.attempt_id}` sends it again, `withdraw` gives it up"
        for one in kept
    ]


def _who(contact: Contact | None) -> str:
    if contact is None:
        return "-"
    source = f"  of {contact.source}" if contact.source else ""
    return f"{contact.key}  {masked(contact.phone_number)}{source}"


def _said(letter: Letter) -> str:
    return f"{letter.message} {letter.state}, {_tried(letter)}"


def _tried(one: Letter | Message) -> str:
    error = f": {one.error}" if one.error and one.state is not LetterState.CONFIRMED else ""
    return f"tried {one.tries} times{error}"


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
