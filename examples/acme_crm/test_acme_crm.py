"""The plugin in a real host, with contacts from a sandbox LCM (fixture `lcm_sandbox`)."""

import asyncio
from pathlib import Path

import pytest

from cti_hooks import Agent, ConfigError, Consent, Contact, Host, Refusal
from lcm_plugin.sandbox import Sandbox, SandboxContact

GROUP = "Acme"
CUSTOMERS = """e164,name,consent,complaint
+12125550101,Alice,given,
+12125550102,Bob,withdrawn,
+12125550103,Carol,given,4711
"""


def enriched_and_reviewed(lcm: Sandbox, folder: Path, number: str) -> tuple[Contact, list[Refusal]]:
    """Fetch the contact of this number, complete and review it."""
    lcm.add(SandboxContact(key="k1", phone_number=number, campaign_group=GROUP))
    (folder / "customers.csv").write_text(CUSTOMERS)
    config = folder / "cti.toml"
    config.write_text(
        '[cti]\nplugins = ["acme-crm", "lcm"]\n'
        '[plugins.acme-crm]\ncustomers = "customers.csv"\n'
        f'[plugins.lcm]\nurl = "{lcm.url}"\nsource = "acme"\ntimezone = "America/New_York"\n'
    )

    async def fetch() -> tuple[Contact, list[Refusal]]:
        agent = Agent(id="1001")
        async with Host.from_config(config) as host:
            contact = await host.hooks.first("request_next_contact", agent=agent, campaign_group=GROUP)
            contact = await host.hooks.chain("enrich_contact", contact=contact, agent=agent)
            moment = host.clock.now()
            answers = await host.hooks.all("review_contact", agent=agent, contact=contact, moment=moment)
            return contact, [answer.value for answer in answers if answer.value]

    return asyncio.run(fetch())


def test_a_customer_is_recognised(lcm_sandbox: Sandbox, tmp_path: Path) -> None:
    """The customer's name comes along, and nothing speaks against the call."""
    contact, refusals = enriched_and_reviewed(lcm_sandbox, tmp_path, "+12125550101")
    assert contact.extra["customer_name"] == "Alice"
    assert refusals == []


def test_withdrawn_consent_is_lowered(lcm_sandbox: Sandbox, tmp_path: Path) -> None:
    """What the CRM knows better than the LCM counts."""
    contact, _ = enriched_and_reviewed(lcm_sandbox, tmp_path, "+12125550102")
    assert contact.consent is Consent.NOT_GIVEN


def test_an_open_complaint_refuses(lcm_sandbox: Sandbox, tmp_path: Path) -> None:
    """The refusal names rule and evidence."""
    _, refusals = enriched_and_reviewed(lcm_sandbox, tmp_path, "+12125550103")
    assert [(refusal.rule, dict(refusal.evidence)) for refusal in refusals] == [
        ("acme-complaint", {"complaint": "4711"})
    ]


def test_a_slip_in_the_settings_is_told() -> None:
    """A misspelt key is named with the right one."""
    with pytest.raises(ConfigError, match='did you mean "customers"'):
        Host.from_config({"cti": {"plugins": ["acme-crm"]}, "plugins": {"acme-crm": {"custmers": "x"}}})
