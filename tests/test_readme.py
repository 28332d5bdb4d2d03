"""The examples of README.md work, and the files it links to are there."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pluggy
import pytest

from cti_hooks import Agent, Contact, Hooks, Host, register, spec
from lcm_plugin.sandbox import MEANINGS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"(?s)```{language}\n(.*?)```", PAGE)
    assert found is not None
    return found[1]


async def test_the_hook_in_ten_lines_runs() -> None:
    """The README's plugin refuses whom it says, and nobody else."""
    known: dict[str, Any] = {}
    exec(block("python"), known)  # noqa: S102  (our own README)
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    register(pm, known["NoCallsToVips"]({"numbers": ["+12125550123"]}), "vips")
    for number, rules in (("+12125550123", ["vip"]), ("+12125550124", [])):
        contact = Contact(key="k", phone_number=number, e164=number)
        answers = await Hooks(pm).all(
            "review_contact", agent=Agent(id="1"), contact=contact, moment=datetime.now(UTC)
        )
        assert [answer.value.rule for answer in answers if answer.value] == rules


def test_the_config_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's config file loads, the third party's plugin aside."""
    monkeypatch.setenv("LCM_TOKEN", "t")
    tables = tomllib.loads(block("toml"))
    tables["cti"]["plugins"].remove("acme-crm")
    assert list(Host.from_config(tables).plugins) == ["lcm", "uri"]


def test_every_fault_is_named() -> None:
    """The README names each fault the sandbox can be told."""
    assert all(f"`{name}`" in PAGE for name in MEANINGS)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", PAGE))))
def test_every_link_leads_somewhere(link: str) -> None:
    """What the README links to is there."""
    assert (ROOT / link).exists()
