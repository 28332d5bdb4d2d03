"""Writes hooks/README.md from the hookspecs and the examples below: `python hooks/reference.py`.

A test holds the file to what this makes of them, and runs every example.
"""

import inspect
import re
from pathlib import Path

from cti_hooks import spec
from cti_hooks.markers import Declaration, Way, declaration_of

HEAD = """# Hook reference

`cti_hooks` is the contract between a CTI host, its contact sources, its policies and its dialers. It imports nothing but the standard library, attrs and pluggy.
This page is made from `cti_hooks/spec.py` by `python hooks/reference.py`; a test keeps it current and runs its examples.

## A plugin in ten lines

```python
from cti_hooks import Refusal, hookimpl


class QuietSundays:
    def __init__(self, settings):  # the plugin's table in the host's config file
        self.reason = settings.get("reason", "nobody is called on a Sunday")

    @hookimpl
    def review_contact(self, contact, moment):  # only the arguments you want
        if moment.isoweekday() == 7:
            return Refusal(rule="sunday", reason=self.reason)
```

Name the class in your distribution's entry points, `cti.plugins = quiet-sundays = acme:QuietSundays`, and enable it in the host's config file by that name. The callable gets its
settings before any I/O, so a class needs an `__init__` that takes them (the examples below leave it out); what is wrong with them is best raised there. `cti_hooks.settings.read(AttrsClass, table)` tells every mistake at once, with the nearest right word.

## How hooks are called

| way | rule |
| --- | --- |
| `await hooks.all(name, ...)` | concurrently; `Answer(plugin, value, error)` for each, in call order; one failure never stops the others |
| `await hooks.first(name, ...)` | in turn, until the first that is not None; the rest never start. A failing one is logged and the next is asked; when nobody answers and one failed, that failure is raised, so None always means none. `first_answer` is the same `Answer`, with who gave it |
| `first`, declared *once* | only None passes the question on: a failure or overrun ends it and is raised. For what must not happen twice |
| `await hooks.chain(name, ...)` | in turn, each result other than None replaces the named argument; a failing one is logged and left out |
| `async for answer in hooks.each(name, ...)` | one after another, going on as the caller takes each `Answer`; `on_shutdown` in reverse. For the start and stop of a host |

Implementations are `async def` or plain `def`, and name the arguments they want. Call order is the order of the config's list; `tryfirst`, `trylast` and `wrapper=True` work as in
pluggy, a wrapper seeing the awaited result. Each implementation has its time limit, told with each hook below, after which it is cancelled and counts as failed. Failures are logged with plugin and distribution,
numbers masked, in the exception that the caller gets, too. One that holds up the event loop for over 50 ms at a stretch, at the start and stop apart, is named in the log, `async def` or plain:
while a database driver or an HTTP client without `await` is waited for, no agent is served, no timer runs and no call event is heard. Let an `async def` await it in a thread:
`rows = await asyncio.to_thread(self.read, contact.key)`.

## What is refused at load

A plugin that would be asked wrongly, or not at all, is refused when the host loads, each mistake in one sentence with the way out:

- a hook that there is not, or an argument that it has not; `hookwrapper=True`;
- arguments by `*` or `**`, by keyword only, or with a default: an implementation is given what it names, by position;
- a public method with a hook's name, or nearly one, without `@hookimpl`: a policy that nobody asks refuses nobody. If such a method is meant to be no hook, say so:

```python
from cti_hooks import hookimpl, not_a_hook


class Pbx:
    @hookimpl
    async def make_call(self, attempt, dial): ...

    @not_a_hook
    def find_calls(self): ...  # our own, beside the hook find_call
```

## Embedding

`Host.from_config(path_or_mapping)` loads the plugins a config file enables; `async with host:` starts and stops them. With `observes=True` it may be started
beside a running host of the same file, to look only. A site with a plugin manager of its own puts
`Hooks(pm)` around one more, whose project name is `cti` and that has `cti_hooks.spec` added ([examples/embed.py](../examples/embed.py)); objects in it without any hook are left alone.

Hooks are called on the event loop on which the host was started, `hooks.loop`; on another one they raise. Another thread asks so:
`asyncio.run_coroutine_threadsafe(hooks.all("on_agent_ready", agent=agent), hooks.loop).result()`.

`host.phase` is how far a host is (`loaded`, `starting`, `started`, `stopping`), `host.role` what it is there for (`runs`, `observes`); `await host.started.wait()` waits for the start of all plugins.

## With a type checker

`host.hook`, or `TypedHooks(hooks)`, has a typed method for each hook, called the way the hook declares: `await host.hook.clear_call(call=call)` for `await host.hooks.first("clear_call", call=call)`.
`cti_hooks.implementations` has a base class for each hook. With them mypy finds a misspelt hook, a wrong argument and a wrong result, at a caller and at an implementation:

```python
from cti_hooks import Call, Dial, Attempt, hookimpl
from cti_hooks.implementations import ClearCall, MakeCall


class Pbx(MakeCall, ClearCall):  # cannot be made without both
    @hookimpl
    async def make_call(self, attempt: Attempt, dial: Dial) -> Call | None: ...

    @hookimpl
    async def clear_call(self, call: Call) -> bool | None: ...
```

A method of such a class names all arguments of its hook; without a base class it may leave out those it does not want.

A hook's new argument has a default in its specification: callers of yesterday leave it out, and implementations that name it get the default.

## What a dialer may have beside its hooks

| protocol | attribute or method | what for |
| --- | --- | --- |
| `HasEngines` | `engines` | the names of its engines, as `Call.engine` says them: `find_call` speaks for these only |
| `KnowsEngines` | `engine_of(agent)` | the engine an agent's calls go by, before one is recorded; None if it is no agent of the dialer's |
| `KnowsEndpoints` | `endpoint_of(agent)` | where the agent's phone is; ValueError, with the way out, if the dialer may not ring that |
| `ToldByEvents` | `is_told_of(attempt)` | whether signed events of this attempt's call are this dialer's to pass on |

`connection_after(kind, before)` is what a call event says of the customer's connection, for dialers that keep a `Call` up to date.

## The hooks
"""

EXAMPLES = {
    "on_startup": """
class Crm:
    @hookimpl
    async def on_startup(self, host):
        self.host = host
        self.customers = {"+12125550123": "Alice"}
""",
    "on_shutdown": """
class Crm:
    @hookimpl
    async def on_shutdown(self):
        self.closed = True
""",
    "report_health": """
class Crm:
    @hookimpl
    async def report_health(self):
        return [Health(what="crm", good=True, seen="answers, version 7")]
""",
    "on_agent_logged_on": """
class Board:
    @hookimpl
    def on_agent_logged_on(self, agent):
        self.last = f"{agent.id} is here"
""",
    "on_agent_ready": """
class Board:
    @hookimpl
    async def on_agent_ready(self, agent):
        self.last = f"{agent.id} waits for a contact"
""",
    "on_agent_not_ready": """
class Board:
    @hookimpl
    def on_agent_not_ready(self, agent, reason):
        self.last = f"{agent.id} is away: {reason}"
""",
    "on_agent_busy": """
class Board:
    @hookimpl
    def on_agent_busy(self, agent, call):
        self.last = f"{agent.id} has an ACD call"
""",
    "on_agent_working_after_call": """
class Board:
    @hookimpl
    def on_agent_working_after_call(self, agent):
        self.last = f"{agent.id} writes up"
""",
    "on_agent_logged_off": """
class Board:
    @hookimpl
    def on_agent_logged_off(self, agent):
        self.last = f"{agent.id} left"
""",
    "request_agent_state": """
class OurHost:
    @hookimpl
    async def request_agent_state(self, agent, state, reason):
        return state == "not_ready"  # the only wish we grant
""",
    "select_campaign_groups": """
class Skills:
    @hookimpl
    def select_campaign_groups(self, agent):
        return ["Collections", "Renewals"] if agent.id.startswith("c") else None
""",
    "request_next_contact": """
class WalkIns:  # enabled before lcm: asked before the LCM
    def __init__(self):
        self.waiting = [Contact(key="walk-in|1", phone_number="+12125550123", consent="given")]

    @hookimpl
    async def request_next_contact(self, agent, campaign_group):
        return self.waiting.pop() if self.waiting else None

    @hookimpl
    def on_attempt_changed(self, attempt):
        if attempt.contact and attempt.contact.source == "walk-ins" and attempt.state == "closed":
            print(attempt.contact.key, attempt.disposition)  # the LCM is told nothing of it
""",
    "enrich_contact": """
class AreaCodes:
    @hookimpl
    def enrich_contact(self, contact):
        if contact.e164 is None and len(contact.phone_number) == 7:
            return attrs.evolve(contact, e164=f"+1212{contact.phone_number}")
""",
    "review_contact": """
class OfficeHours:
    @hookimpl
    async def review_contact(self, contact, moment):
        if not 9 <= moment.hour < 18:
            opens = moment.replace(hour=9, minute=0) + timedelta(days=moment.hour >= 18)
            return Refusal(rule="office-hours", reason="we call from 9 to 18", not_before=opens)
""",
    "explain_contact": """
class OfficeHours:
    @hookimpl
    async def explain_contact(self, contact, moment):
        open_now = 9 <= moment.hour < 18
        return [Check(rule="office-hours", passed=open_now, reason="we call from 9 to 18")]
""",
    "list_past_calls": """
class Archive:
    def __init__(self):
        self.calls = []

    @hookimpl
    async def list_past_calls(self, contact, since):
        return [call for call in self.calls if call.at >= since]
""",
    "on_contact_offered": """
class Desktop:
    @hookimpl
    async def on_contact_offered(self, attempt):
        self.shown = attempt.contact.key
""",
    "on_attempt_changed": """
class Wallboard:
    @hookimpl
    def on_attempt_changed(self, attempt):
        self.line = f"{attempt.agent.id}: {attempt.state} {attempt.reason}"
""",
    "on_agent_activity": """
class Board:
    def __init__(self):
        self.rows = {}

    @hookimpl
    def on_agent_activity(self, agent, activity):
        self.rows[agent.id] = f"{activity.kind} since {activity.since:%H:%M:%S}"
""",
    "on_callback_due": """
class Desktop:
    @hookimpl
    def on_callback_due(self, agent, at):
        self.note = f"you have a callback at {at:%H:%M}"
""",
    "answer_contact": """
class Offers:
    def __init__(self):
        self.open = {}

    @hookimpl
    async def answer_contact(self, agent, attempt_id, answer, reason, actor):
        return self.open.get(attempt_id)  # None: not an offer of ours
""",
    "make_call": """
class Pbx:
    @hookimpl
    async def make_call(self, attempt, dial):
        if dial.to.startswith("+44"):
            return None  # another trunk's
        # ... place it, and not after dial.not_after
        return Call(id=f"{attempt.id}-c", attempt_id=attempt.id, state="initiated")
""",
    "find_call": """
class Pbx:
    def __init__(self):
        self.calls = {}

    @hookimpl
    async def find_call(self, attempt_id):
        return self.calls.get(attempt_id)
""",
    "clear_call": """
class Pbx:
    @hookimpl
    async def clear_call(self, call):
        return True if call.id.endswith("-c") else None
""",
    "on_call_event": """
class Minutes:
    @hookimpl
    def on_call_event(self, event):
        if event.kind == "established":
            self.since = event.at
""",
    "dispose_attempt": """
class Notes:
    def __init__(self):
        self.attempts = {}

    @hookimpl
    async def dispose_attempt(self, agent, attempt_id, disposition, actor):
        return self.attempts.get(attempt_id)
""",
}


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(section(name) for name in hook_names())


def hook_names() -> list[str]:
    """The hooks in the order of spec.py."""
    return [name for name, value in vars(spec).items() if inspect.isfunction(value) and declaration_of(value)]


def section(name: str) -> str:
    """One hook: its signature as the heading, how it is called, its docstring, its example."""
    function = getattr(spec, name)
    text = re.sub(r"\n\nArguments:\n", "\n\nArguments:\n\n", inspect.cleandoc(function.__doc__))
    text = re.sub(r"(?m)^ {4}(\w+): ", r"- `\1`: ", text)
    text = re.sub(r"(?m)^ {8}", "  ", text)
    how = _how(declaration_of(function))
    return f"\n### `{signature(name)}`\n\n*{how}* {text}\n\n```python{EXAMPLES[name]}```\n"


def signature(name: str) -> str:
    """`review_contact(agent: Agent, ...) -> Refusal | None`, without the names of modules."""
    shown = re.sub(r"'(\w+)'", r"\1", str(inspect.signature(getattr(spec, name))))
    return name + re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", shown)


def _how(declaration: Declaration | None) -> str:
    if declaration is None:
        return ""
    ways = {
        Way.ALL: "`all`",
        Way.FIRST: "`first`, once" if declaration.once else "`first`",
        Way.CHAIN: f"`chain` on `{declaration.on}`",
        Way.EACH: "`each`, by the host only",
    }
    limit = declaration.limit
    told_below = declaration.way is Way.EACH or callable(limit)
    return f"Called with {ways[declaration.way]}{'' if told_below else f'; limit {limit:g} s'}."


if __name__ == "__main__":
    Path(__file__).with_name("README.md").write_text(reference(), encoding="utf-8")
