"""The ways a hook is called: all, first, once, chain (docs/architecture.md#dispatch)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import attrs
import pluggy
import pytest

from cti_hooks import (
    Agent,
    Answer,
    Call,
    Check,
    ConnectionState,
    Consent,
    Contact,
    Health,
    Hooks,
    HookUsageError,
    PastCall,
    PluginError,
    Refusal,
    hookimpl,
    spec,
)
from cti_hooks.errors import HookResultError

Plug = Callable[..., Hooks]
Facts = Callable[[str], dict[str, Any]]

ONE = Contact(key="one", phone_number="+12125550101")
TWO = Contact(key="two", phone_number="+12125550102")
CALL = Call(id="c1", attempt_id="a1", state=ConnectionState.INITIATED)


async def none() -> None:
    return None


async def fails() -> None:
    raise OSError("no database")


# -- first --------------------------------------------------------------------------------------------------


async def test_hook_request_next_contact_takes_the_first_result_that_is_not_none(
    plug: Plug, facts: Facts
) -> None:
    """Sync and async implementations are asked in turn; None passes on, a coroutine is awaited."""
    asked: list[str] = []

    async def first(agent: Agent) -> None:
        asked.append(f"first for {agent.id}")

    def second() -> None:
        asked.append("second")

    async def third(agent: Agent, campaign_group: str) -> Contact:
        asked.append(f"third of {campaign_group}")
        return ONE

    async def fourth() -> Contact:
        asked.append("fourth")
        return TWO

    hooks = plug(*({"request_next_contact": one} for one in (first, second, third, fourth)))
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE
    assert asked == ["first for alice", "second", "third of G"]


async def test_nobody_has_one(plug: Plug, facts: Facts) -> None:
    """When all say None, and when there is nobody, the answer is None."""
    for plugins in ([], [{"request_next_contact": none}] * 2):
        hooks = plug(*plugins)
        assert await hooks.first("request_next_contact", **facts("request_next_contact")) is None


async def test_a_failure_is_logged_and_the_next_is_asked(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture
) -> None:
    """A failing source does not keep the next from answering; the log names plugin and distribution."""
    hooks = plug({"request_next_contact": fails}, {"request_next_contact": lambda: ONE})
    assert await hooks.first("request_next_contact", **facts("request_next_contact")) == ONE
    (line,) = caplog.messages
    assert line.startswith("request_next_contact: plugin 'p1' (")
    assert line.endswith("failed: OSError: no database")


async def test_none_always_means_none(plug: Plug, facts: Facts) -> None:
    """When nobody answers and some failed, the first failure is raised."""

    async def fails_too() -> None:
        raise ValueError("later")

    hooks = plug(*({"request_next_contact": one} for one in (none, fails, fails_too, none)))
    with pytest.raises(OSError, match="no database"):
        await hooks.first("request_next_contact", **facts("request_next_contact"))


ONCE = ["make_call", "answer_contact", "dispose_attempt", "clear_call"]


@pytest.mark.parametrize("hook", ONCE)
async def test_hook_make_call_answer_contact_dispose_attempt_clear_call_once(
    plug: Plug, facts: Facts, hook: str
) -> None:
    """A failure of what must not happen twice ends the question and is raised; nobody else is asked."""
    asked: list[str] = []

    async def would() -> None:
        asked.append("would")

    hooks = plug({hook: none}, {hook: fails}, {hook: would})
    with pytest.raises(OSError, match="no database"):
        await hooks.first(hook, **facts(hook))
    assert asked == []


@pytest.mark.parametrize("hook", ONCE)
async def test_only_none_passes_a_once_question_on(plug: Plug, facts: Facts, hook: str) -> None:
    """None passes on, and when all say None the answer is None."""
    assert await plug({hook: none}, {hook: none}).first(hook, **facts(hook)) is None


async def test_hook_select_campaign_groups_and_request_agent_state(plug: Plug, facts: Facts) -> None:
    """A site's choice is a sequence of names, a host's consent a truth value."""
    hooks = plug({"select_campaign_groups": lambda: ["A", "B"], "request_agent_state": lambda: False})
    assert await hooks.first("select_campaign_groups", **facts("select_campaign_groups")) == ["A", "B"]
    assert await hooks.first("request_agent_state", **facts("request_agent_state")) is False


# -- all ----------------------------------------------------------------------------------------------------


async def test_hook_review_contact_asks_all_at_once(plug: Plug, facts: Facts) -> None:
    """All are asked concurrently; answers come in call order, each a value or the error it failed with."""
    refusal = Refusal(rule="r", reason="x")

    async def slow() -> Refusal:
        await asyncio.sleep(2)
        return refusal

    async def quick() -> None:
        await asyncio.sleep(1)

    hooks = plug({"review_contact": slow}, {"review_contact": fails}, {"review_contact": quick})
    began = asyncio.get_running_loop().time()
    answers = await hooks.all("review_contact", **facts("review_contact"))
    assert asyncio.get_running_loop().time() - began == pytest.approx(2, abs=0.1)
    assert [answer.plugin for answer in answers] == ["p1", "p2", "p3"]
    assert answers[0] == Answer(plugin="p1", value=refusal)
    assert isinstance(answers[1].error, OSError)
    assert answers[2] == Answer(plugin="p3")


NOTIFICATIONS = [
    "on_agent_logged_on", "on_agent_ready", "on_agent_not_ready", "on_agent_busy",
    "on_agent_working_after_call",
    "on_agent_logged_off", "on_contact_offered", "on_callback_due", "on_attempt_changed", "on_call_event",
    "on_agent_activity",
]  # fmt: skip


@pytest.mark.parametrize("hook", NOTIFICATIONS)
async def test_each_notification_reaches_everybody(plug: Plug, facts: Facts, hook: str) -> None:
    """One failing listener keeps the news from nobody."""
    heard: list[str] = []

    async def hears() -> None:
        heard.append(hook)

    hooks = plug({hook: fails}, {hook: hears}, {hook: lambda: heard.append(hook)})
    answers = await hooks.all(hook, **facts(hook))
    assert heard == [hook, hook]
    assert [answer.error is None for answer in answers] == [False, True, True]


async def test_hook_find_call_asks_all_dialers(plug: Plug, facts: Facts) -> None:
    """Each dialer says what it sees."""
    hooks = plug({"find_call": none}, {"find_call": lambda: CALL})
    assert [answer.value for answer in await hooks.all("find_call", **facts("find_call"))] == [None, CALL]


async def test_hook_report_health_explain_contact_and_list_past_calls(plug: Plug, facts: Facts) -> None:
    """Health and checks come from everybody; past calls from the first who keeps a record."""
    health = Health(what="pbx", good=False, seen="refused")
    check = Check(rule="hours", passed=True, reason="open")
    past = PastCall(attempt_id="a0", at=facts("explain_contact")["moment"])
    hooks = plug(
        {"report_health": lambda: [health], "explain_contact": none, "list_past_calls": none},
        {"report_health": fails, "explain_contact": lambda: [check], "list_past_calls": lambda: [past]},
    )
    first, second = await hooks.all("report_health")
    assert first.value == [health]
    assert isinstance(second.error, OSError)
    explained = await hooks.all("explain_contact", **facts("explain_contact"))
    assert [answer.value for answer in explained] == [None, [check]]
    assert await hooks.first("list_past_calls", **facts("list_past_calls")) == [past]


# -- chain --------------------------------------------------------------------------------------------------


async def test_hook_enrich_contact_passes_the_contact_on(plug: Plug, facts: Facts) -> None:
    """Each gets what the one before made of it; None keeps it; a failing one is logged and left out."""

    async def campaign(contact: Contact) -> Contact:
        return attrs.evolve(contact, campaign="c")

    def mode(contact: Contact, agent: Agent) -> Contact:
        return attrs.evolve(contact, mode=f"{contact.campaign} for {agent.id}")

    hooks = plug(*({"enrich_contact": one} for one in (campaign, none, fails, mode)))
    enriched = await hooks.chain("enrich_contact", **facts("enrich_contact"))
    assert (enriched.campaign, enriched.mode) == ("c", "c for alice")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"consent": Consent.GIVEN}, "raised consent from not_given to given"),
        ({"consent": Consent.UNKNOWN}, "raised consent from not_given to unknown"),
        ({"key": "other"}, "changed the contact's key"),
        ({"source": "other"}, "changed the contact's source"),
        ({"expires_at": "now"}, "changed the contact's expiry"),
    ],
    ids=["consent given", "consent unknown", "key", "source", "expiry"],
)
async def test_what_enrichment_must_not_do_is_left_out(
    plug: Plug, facts: Facts, clock: Any, caplog: pytest.LogCaptureFixture, change: dict[str, Any], said: str
) -> None:
    """An enrichment that raises consent or changes key, source or expiry is logged and left out."""
    change = {name: clock.now() if value == "now" else value for name, value in change.items()}
    hooks = plug(
        {"enrich_contact": lambda contact: attrs.evolve(contact, **change)}, {"enrich_contact": none}
    )
    contact = attrs.evolve(ONE, consent=Consent.NOT_GIVEN)
    assert await hooks.chain("enrich_contact", **{**facts("enrich_contact"), "contact": contact}) == contact
    assert "plugin 'p1'" in caplog.text
    assert said in caplog.text


async def test_enrichment_may_lower_consent(plug: Plug, facts: Facts) -> None:
    """A site that knows of a withdrawn consent may say so, and nobody may raise it again."""
    lower = {"enrich_contact": lambda contact: attrs.evolve(contact, consent="not_given")}
    higher = {"enrich_contact": lambda contact: attrs.evolve(contact, consent="given")}
    given = {**facts("enrich_contact"), "contact": attrs.evolve(ONE, consent="given")}
    assert (await plug(lower, higher).chain("enrich_contact", **given)).consent is Consent.NOT_GIVEN


# -- order --------------------------------------------------------------------------------------------------


async def test_tryfirst_and_trylast_order_as_in_pluggy(plug: Plug, facts: Facts) -> None:
    """Tryfirst comes before the call order, trylast behind it."""
    asked: list[str] = []

    def asks(name: str, **options: Any) -> dict[str, Any]:
        async def ask() -> None:
            asked.append(name)

        return {"request_next_contact": hookimpl(**options)(ask)}

    hooks = plug(asks("last", trylast=True), asks("a"), asks("b"), asks("first", tryfirst=True))
    await hooks.first("request_next_contact", **facts("request_next_contact"))
    assert asked == ["first", "a", "b", "last"]


# -- asked wrongly ------------------------------------------------------------------------------------------

MISUSES: list[tuple[str, str, dict[str, Any] | None, str]] = [
    ("all", "make_call", None, r"make_call is called by first\(\), not by all\(\)"),
    ("first", "on_agent_ready", None, r"by all\(\), not by first\(\)"),
    ("chain", "review_contact", None, r"by all\(\)"),
    ("all", "on_startup", None, r"by each\(\)"),
    ("all", "on_agent_redy", {}, 'did you mean "on_agent_ready"'),
    ("all", "on_agent_ready", {}, r"takes \(agent\), not \(\)"),
    ("all", "on_agent_ready", {"agent": 1, "reason": 2}, r"not \(agent, reason\)"),
    ("all", "on_agent_ready", {"agent": "1001"}, "agent must be of the type Agent, not str"),
    ("first", "clear_call", {"call": {}}, "call must be of the type Call, not dict"),
]


@pytest.mark.parametrize(("way", "hook", "arguments", "said"), MISUSES, ids=[one[3] for one in MISUSES])
async def test_a_hook_is_called_one_way(
    plug: Plug, facts: Facts, way: str, hook: str, arguments: dict[str, Any] | None, said: str
) -> None:
    """Calling a hook another way, or with other arguments, is an error that says the right one."""
    given = facts(hook) if arguments is None else arguments
    with pytest.raises(HookUsageError, match=said):
        await getattr(plug(), way)(hook, **given)


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("request_next_contact", {"phone": "+12125550123"}),
        ("make_call", True),
        ("select_campaign_groups", "AD Dev Manual Group"),
        ("select_campaign_groups", [1]),
        ("request_agent_state", "yes"),
    ],
    ids=str,
)
async def test_a_wrong_result_type_is_a_failure(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture, hook: str, value: object
) -> None:
    """A result the hook does not allow is its plugin's failure, named, and never quoted."""
    with pytest.raises(HookResultError, match=f"plugin 'p1' returned {type(value).__name__}, not "):
        await plug({hook: lambda: value}).first(hook, **facts(hook))
    assert "2125550123" not in caplog.text


async def test_numbers_in_a_plugins_errors_are_masked(
    plug: Plug, facts: Facts, caplog: pytest.LogCaptureFixture
) -> None:
    """What a plugin puts into its exception reaches the log masked, in the traceback too."""
    caplog.set_level(logging.DEBUG)

    async def careless() -> None:
        raise KeyError("+1 (212) 555-0123")

    await plug({"on_agent_ready": careless}).all("on_agent_ready", **facts("on_agent_ready"))
    assert "careless" in caplog.text
    assert "555-0123" not in caplog.text


# -- around a manager of the site's own ----------------------------------------------------------------------


def test_hooks_go_around_a_sites_own_manager() -> None:
    """A manager with another project name or without these specs is refused, saying what to do."""
    with pytest.raises(HookUsageError, match=r"project name is 'other'.*PluginManager\('cti'\)"):
        Hooks(pluggy.PluginManager("other"))
    with pytest.raises(HookUsageError, match="add_hookspecs"):
        Hooks(pluggy.PluginManager("cti"))


def test_plugins_registered_before_are_checked() -> None:
    """A plugin that is in the manager already is held to the same rules, all problems at once."""
    pm = pluggy.PluginManager("cti")

    class Old:
        @hookimpl(hookwrapper=True)
        def on_agent_ready(self) -> Any:
            yield

        @hookimpl
        def on_agent_redy(self) -> None: ...

    pm.register(Old(), "old")
    pm.add_hookspecs(spec)
    with pytest.raises(PluginError) as raised:
        Hooks(pm)
    assert "hookwrapper=True" in str(raised.value)
    assert 'did you mean "on_agent_ready"' in str(raised.value)


async def test_a_wrapper_of_the_old_style_registered_later_is_refused_when_called(
    plug: Plug, facts: Facts
) -> None:
    """One that was put into the manager past the checks is named at the call."""
    hooks = plug()

    class Old:
        @hookimpl(hookwrapper=True)
        def on_agent_ready(self) -> Any:
            yield

    hooks.pm.register(Old(), "old")
    with pytest.raises(HookUsageError, match="'old' uses hookwrapper=True"):
        await hooks.all("on_agent_ready", **facts("on_agent_ready"))
