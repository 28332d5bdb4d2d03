"""Why not? The word of every plugin, in call order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pluggy
import pytest

from cti_hooks import Agent, Check, Contact, Hooks, Refusal, hookimpl, register, spec
from lcm_plugin.explanation import explain

NOW = datetime(2024, 1, 30, 15, 0, tzinfo=UTC)
AGENT = Agent(id="alice")
CONTACT = Contact(key="0|1", phone_number="+12125550123")
LATER = NOW + timedelta(hours=1)


class Both:
    """Explains, and reviews by the first check that did not pass."""

    def __init__(self, *checks: Check) -> None:
        self.checks = checks

    @hookimpl
    async def explain_contact(self) -> list[Check]:
        return list(self.checks)

    @hookimpl
    def review_contact(self) -> Refusal | None:
        return next((Refusal(rule=one.rule, reason="no") for one in self.checks if not one.passed), None)


class Reviews:
    """Reviews only: an old policy, or one of another house."""

    def __init__(self, answer: Refusal | Exception | None) -> None:
        self.answer = answer

    @hookimpl
    def review_contact(self) -> Refusal | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Fails:
    @hookimpl
    def explain_contact(self) -> None:
        raise ValueError("no rule for +12125550123")


class Silent:
    """Implements the hook, and has nothing to explain."""

    @hookimpl
    def explain_contact(self) -> None:
        return None

    @hookimpl
    def review_contact(self) -> Refusal:
        return Refusal(rule="quiet", reason="hush")


class Contradicts:
    @hookimpl
    def explain_contact(self) -> list[Check]:
        return [Check(rule="says_yes", passed=True, reason="fine")]

    @hookimpl
    def review_contact(self) -> Refusal:
        return Refusal(rule="means_no", reason="no")


def hooks_of(*plugins: Any) -> Hooks:
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    for number, plugin in reversed(list(enumerate(plugins, start=1))):
        register(pm, plugin, f"p{number}")
    return Hooks(pm)


async def explained(*plugins: Any) -> list[Check]:
    return await explain(hooks_of(*plugins), AGENT, CONTACT, NOW)


YES = Check(rule="hours", passed=True, reason="open")
NO = Check(rule="caps", passed=False, reason="three today", not_before=LATER)


async def test_every_check_is_told_in_call_order() -> None:
    """Passed or not, each plugin's checks come in the order of the config, a refusal only once."""
    other = Check(rule="list", passed=True, reason="not on it")
    assert await explained(Both(YES, NO), Both(other)) == [YES, NO, other]


async def test_a_plugin_that_only_reviews_is_judged_by_its_review() -> None:
    """No objection is a check passed in the plugin's name; a refusal is one not passed, as it is."""
    refusal = Refusal(rule="site", reason="closed", not_before=LATER, evidence={"day": "Sunday"})
    assert await explained(Reviews(None), Reviews(refusal), Both(YES)) == [
        Check(rule="p1", passed=True, reason="no objection"),
        Check(rule="site", passed=False, reason="closed", not_before=LATER, evidence={"day": "Sunday"}),
        YES,
    ]


async def test_a_plugin_that_explains_nothing_is_judged_by_its_review() -> None:
    """None from explain_contact sends the question to review_contact."""
    assert await explained(Silent()) == [Check(rule="quiet", passed=False, reason="hush")]


@pytest.mark.parametrize(
    ("plugin", "rule"), [(Fails(), "explain_failed"), (Reviews(OSError()), "review_failed")]
)
async def test_a_failure_is_a_check_that_did_not_pass(plugin: Any, rule: str) -> None:
    """A failure is told by the plugin's name, no number in it, and the others are asked all the same."""
    failed, fine = await explained(plugin, Both(YES))
    assert (failed.rule, failed.passed, failed.evidence["plugin"]) == (rule, False, "p1")
    assert "5550123" not in str(failed)
    assert fine == YES


async def test_nothing_is_shown_as_allowed_that_would_be_refused() -> None:
    """A review's refusal that was not explained is added to what was."""
    assert [(one.rule, one.passed) for one in await explained(Contradicts())] == [
        ("says_yes", True),
        ("means_no", False),
    ]


async def test_nobody_has_a_rule() -> None:
    """Without policies there is nothing to tell."""
    assert await explained() == []
