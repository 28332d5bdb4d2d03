"""What a sandbox knows, and what its behaviours have in common."""

from typing import Final
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from lcm_plugin.sandbox.account import Account, Blocked, Disposed
from lcm_plugin.sandbox.asked import Asked, RefusedError
from lcm_plugin.sandbox.lists import Lists, Reservation


@frozen
class SandboxOutcome:
    """An outcome on the sandbox's lists."""

    id: str
    description: str
    parent_id: str | None = None


TELEPHONY: Final = (
    SandboxOutcome("0", "Success"), SandboxOutcome("2", "Invalid"), SandboxOutcome("3", "Busy"),
    SandboxOutcome("4", "CallBack"), SandboxOutcome("5", "DNC"), SandboxOutcome("6", "Fax"),
    SandboxOutcome("7", "Answering Machine"), SandboxOutcome("8", "No Answer"), SandboxOutcome("9", "Reject"),
)  # fmt: skip
"""The outcomes of SetCallOutComeOffline's sample, as far as the sample can be read."""
BUSINESS: Final = (
    SandboxOutcome("100", "Interested"),
    SandboxOutcome("101", "Payment Done", "100"),
    SandboxOutcome("102", "Promise to Pay", "100"),
    SandboxOutcome("106", "Not Interested"),
    SandboxOutcome("107", "Too Expensive", "106"),
)
_TELEPHONY_IDS: Final = {one.id for one in TELEPHONY}
_BUSINESS_IDS: Final = {one.id for one in BUSINESS}
ANY_OUTCOME: Final = {"SetCallResult", "SkipManualDialContact"}
"""Messages whose one outcome may be of either list."""


@define(kw_only=True)
class State:
    """A sandbox's lists and books. `at_once` is how many contacts a fresh download reserves."""

    lists: Lists
    account: Account
    zone: ZoneInfo
    at_once: int = 1
    require_dialer_detail: bool = False
    dialer_details: set[str] = field(factory=set)
    """Keys SetNonPEWCContactOutcome came for."""

    def delivery(self, asked: Asked) -> Reservation:
        """The delivery that a request's key belongs to.

        Raises:
            RefusedError: there never was one.
        """
        found = self.lists.delivered(asked["key"])
        if found is None:
            raise RefusedError("there is no contact of this key")
        return found

    def check_outcomes(self, asked: Asked) -> None:
        """Refuse an outcome that is not on its list."""
        either = _TELEPHONY_IDS | _BUSINESS_IDS
        outcomes = either if asked.message.subtopic in ANY_OUTCOME else _TELEPHONY_IDS
        for name, known in (("outcome_id", outcomes), ("business_outcome_id", _BUSINESS_IDS)):
            if asked[name] and asked[name] not in known:
                raise RefusedError(f"{name} {asked[name]} is not listed")

    def check_dialer_detail(self, asked: Asked) -> None:
        """Refuse a disposition without its row, if the site needs one."""
        if self.require_dialer_detail and asked["key"] not in self.dialer_details:
            raise RefusedError("SetNonPEWCContactOutcome has to come first")

    def dispose(self, asked: Asked, one: Reservation) -> Disposed:
        """Write a disposition down. The caller ends its delivery."""
        entry = Disposed(
            key=one.key,
            agent_id=asked.agent_id or one.agent_id,
            message=asked.message.subtopic,
            at=asked.at,
            outcome_id=asked["outcome_id"],
            business_outcome_id=asked["business_outcome_id"],
            comments=asked["comments"],
            delivered=asked.delivered,
        )
        self.account.dispositions.append(entry)
        return entry

    def block(self, phone_number: str, asked: Asked) -> None:
        """Have nobody of this number called any more."""
        self.lists.block(phone_number)
        self.account.do_not_call.append(
            Blocked(phone_number=phone_number, key=asked["key"], message=asked.message.subtopic, at=asked.at)
        )
