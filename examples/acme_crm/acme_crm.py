"""A third party's plugin: completes contacts from a customer list, and refuses some of them.

Enabled by its entry point's name in the host's config file:

    [cti]
    plugins = ["acme-crm", "lcm", "loopback"]

    [plugins.acme-crm]
    customers = "customers.csv"
"""

import csv
from collections.abc import Mapping

import attrs
from attrs import frozen

from cti_hooks import Consent, Contact, Host, Refusal, hookimpl
from cti_hooks.settings import read


@frozen(kw_only=True)
class Settings:
    """The plugin's table; what is wrong with it is told when the host loads."""

    customers: str
    """A CSV file with the columns e164, name, consent and complaint; relative to the host's config file."""
    refuse_complaints: bool = True


class AcmeCrm:
    """The plugin."""

    def __init__(self, table: Mapping[str, object]) -> None:
        """Read the settings. Files and sockets wait for on_startup."""
        self.settings = read(Settings, table)
        self.customers: dict[str, dict[str, str]] = {}

    @hookimpl
    def on_startup(self, host: Host) -> None:
        """Read the list; a missing file stops the host, with this plugin's name."""
        with (host.directory / self.settings.customers).open(newline="", encoding="utf-8") as file:
            self.customers = {row["e164"]: row for row in csv.DictReader(file)}

    @hookimpl
    async def enrich_contact(self, contact: Contact) -> Contact | None:
        """Add the customer's record. Consent may be lowered here, never raised."""
        customer = self.customers.get(contact.e164 or "")
        if customer is None:
            return None
        withdrawn = customer["consent"] == "withdrawn"
        return attrs.evolve(
            contact,
            consent=Consent.NOT_GIVEN if withdrawn else contact.consent,
            extra={**contact.extra, "customer_name": customer["name"]},
        )

    @hookimpl
    async def review_contact(self, contact: Contact) -> Refusal | None:
        """Nobody with an open complaint is called."""
        customer = self.customers.get(contact.e164 or "")
        if customer and customer["complaint"] and self.settings.refuse_complaints:
            reason = f"complaint {customer['complaint']} is open"
            return Refusal(
                rule="acme-complaint", reason=reason, evidence={"complaint": customer["complaint"]}
            )
        return None
