"""What a failure means for each kind of request: docs/architecture.md#what-a-failure-means."""

import pytest

from lcm_plugin.errors import Fault
from lcm_plugin.lcm.catalogue import RequestKind
from lcm_plugin.lcm.rules import RULES, Verdict

RETRY, DOUBT, UNCONFIRMED, RAISE = Verdict.RETRY, Verdict.DOUBT, Verdict.UNCONFIRMED, Verdict.RAISE


@pytest.mark.parametrize(
    ("fault", "download", "read", "setter"),
    [
        pytest.param(Fault.NOT_SENT, RETRY, RETRY, RETRY, id="not sent"),
        pytest.param(Fault.BUSY, RETRY, RETRY, RETRY, id="429, 503"),
        pytest.param(Fault.NO_ANSWER, DOUBT, RETRY, UNCONFIRMED, id="sent, no usable answer"),
        pytest.param(Fault.REDIRECTED, RAISE, RAISE, RAISE, id="3xx"),
        pytest.param(Fault.REJECTED, RAISE, RAISE, RAISE, id="4xx, error reply"),
        pytest.param(Fault.UNUSABLE, RAISE, RAISE, RAISE, id="no key or no number"),
    ],
)
def test_each_row(fault: Fault, download: Verdict, read: Verdict, setter: Verdict) -> None:
    """What happened, and what is done, for each kind of request."""
    assert RULES[fault] == {
        RequestKind.DOWNLOAD: download,
        RequestKind.READ: read,
        RequestKind.SETTER: setter,
    }


def test_every_fault_has_a_row() -> None:
    """No failure is without a rule."""
    assert set(RULES) == set(Fault)
