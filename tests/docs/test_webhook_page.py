"""docs/webhook.md, by which somebody else writes the other end: what it says is what is sent and taken."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cti_hooks import Agent, Attempt, CallEventKind, ConnectionState, Contact, Dial
from cti_hooks import settings as reader
from lcm_plugin.dialers.webhook.order import order_of
from lcm_plugin.dialers.webhook.signing import signed
from lcm_plugin.service.call_events import CallEventTold

PAGE = (Path(__file__).parents[2] / "docs" / "webhook.md").read_text(encoding="utf-8")
ORDER, EVENT = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def shape(value: Any) -> Any:
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_the_order_is_the_one_that_is_sent() -> None:
    """The example has each field of an order, and no other."""
    now = datetime(2026, 11, 27, 15, tzinfo=UTC)
    attempt = Attempt(
        id=ORDER["attempt_id"],
        agent=Agent(id="1001"),
        contact=Contact(key="k", phone_number="+12125550123"),
        state="dialing",
        campaign_group="G",
        opened_at=now,
    )
    sent = json.loads(order_of(attempt, Dial(to="+12125550123", not_after=now), "c"))
    assert shape(ORDER) == shape(sent)


def test_the_event_is_one_that_is_taken() -> None:
    """The example is read, and each kind and state that the page names is one."""
    assert reader.read(CallEventTold, EVENT).event().attempt_id == ORDER["attempt_id"]
    table = PAGE.partition("| `kind` | when |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) <= set(CallEventKind)
    states = PAGE.partition("the state one of ")[2].partition(", or")[0]
    assert set(re.findall(r"`(\w+)`", states)) == set(ConnectionState)


def test_the_headers_are_those_of_the_page() -> None:
    """The page names each header that signs a request."""
    assert all(f"`{name}`" in PAGE for name in signed("s", datetime.now(UTC), b""))
