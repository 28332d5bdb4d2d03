"""What a sandbox can be told to do wrong."""

from collections.abc import Mapping
from random import Random
from typing import Final, Literal, Self

from attrs import define, field

from cti_hooks import ConfigError, nearest
from cti_hooks import settings as table_reader
from lcm_plugin.lcm.catalogue import CATALOGUE
from lcm_plugin.sandbox.variants import MALFORMED, VARIANTS

FaultName = Literal[
    "drop", "late_commit", "late", "twice", "busy", "error", "reject", "redirect",
    "truncated", "huge", "not_json", "wrong_subtopic", "spelling",
]  # fmt: skip

MEANINGS: Final[Mapping[str, str]] = {
    "drop": "process, then cut the connection without a word",
    "late_commit": "cut the connection at once, and process `seconds` later",
    "late": "process at once, answer `seconds` later",
    "twice": "answer twice (WebSocket only)",
    "busy": "`status` 429 or 503, with `retry_after` seconds; nothing is processed",
    "error": "process, then `status` 500",
    "reject": "`status` 400; nothing is processed",
    "redirect": "307 to somewhere else; nothing is processed",
    "truncated": "process, then half of the reply",
    "huge": "process, then a reply of more than 1 MiB",
    "not_json": "process, then an HTML page",
    "wrong_subtopic": "process, then a reply of another name",
    "spelling": "the reply in another of the documented spellings: `variant`",
}


@define(kw_only=True)
class Fault:
    """One thing to do wrong: to which message, for whom, how often, how likely."""

    name: FaultName
    message: str | None = None
    """The subtopic it is for; None for any."""
    agent: str | None = None
    times: int | None = None
    """How often; None for ever."""
    chance: float = 1.0
    seconds: float = 1.0
    status: int = 0
    retry_after: float | None = None
    variant: str = ""
    done: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        if self.message not in {None, *CATALOGUE}:
            raise ValueError(f"there is no message {self.message!r}{nearest(str(self.message), CATALOGUE)}")
        known = {**VARIANTS, **MALFORMED}
        if self.name == "spelling" and self.variant not in known:
            raise ValueError(f"there is no variant {self.variant!r}{nearest(self.variant, known)}")

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read `NAME[,key=value]...`: `late,seconds=6,times=1`.

        Raises:
            ValueError: says what is wrong with it, and what would be right.
        """
        name, *options = spec.split(",")
        table: dict[str, object] = {"name": name.strip()}
        for option in options:
            key, _, value = option.partition("=")
            table[key.strip()] = _value(key.strip(), value.strip())
        try:
            return table_reader.read(cls, table)
        except ConfigError as error:
            raise ValueError(f'fault "{spec}": {"; ".join(map(str, error.problems))}') from None

    def applies(self, subtopic: str, agent_id: str, random: Random) -> bool:
        """Whether it is this request's turn; counts it, if so."""
        if self.times is not None and self.done >= self.times:
            return False
        if self.message not in (None, subtopic) or self.agent not in (None, agent_id):
            return False
        if self.chance < 1 and random.random() >= self.chance:
            return False
        self.done += 1
        return True


def _value(key: str, text: str) -> object:
    if key in {"times", "status"}:
        return int(text) if text.lstrip("-").isdigit() else text
    if key in {"chance", "seconds", "retry_after"}:
        try:
            return float(text)
        except ValueError:
            return text
    return text
