"""What a site's endpoint is sent, and what is wrong when it cannot be."""

import json

import aiohttp

from cti_hooks import Attempt, Contact, Dial, described
from lcm_plugin.dialers.numbers import channel_variables, dialable
from lcm_plugin.dialers.webhook.settings import WebhookSettings


class WebhookError(RuntimeError):
    """The site's endpoint answered in no agreed way, so what it did is unknown."""


def order_of(attempt: Attempt, dial: Dial, call_id: str) -> bytes:
    """What the endpoint gets, as JSON."""
    agent = attempt.agent
    order = {
        "attempt_id": attempt.id,
        "call_id": call_id,
        "not_after": dial.not_after.isoformat(),
        "to": dialable(dial.to),
        "caller_id": dialable(dial.caller_id) if dial.caller_id else None,
        "ring_seconds": dial.ring_seconds,
        "display_name": dial.display_name,
        "variables": dict(channel_variables(dial.variables)),
        "agent": {"id": agent.id, "endpoint": agent.endpoint},
        "contact": _contact(attempt.contact),
    }
    return json.dumps(order).encode()


def _contact(contact: Contact | None) -> dict[str, str] | None:
    """What a screen pop needs to look a contact up; no person's data."""
    if contact is None:
        return None
    return {
        "key": contact.key,
        "campaign": contact.campaign,
        "campaign_group": contact.campaign_group,
        "contact_id": contact.contact_id,
        "call_type": contact.call_type.value,
    }


def explained(error: Exception, settings: WebhookSettings) -> str:  # noqa: PLR0911  (one line for each kind of trouble)
    """What is wrong with the endpoint, in one line."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not good for {settings.engine}: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS is spoken at {settings.engine}; is it http, or another port?"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host {error.host}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"nothing listens at {settings.engine}; is it running, and is the port right?"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"no HTTP is spoken at {settings.engine}; is the port right?"
    if isinstance(error, TimeoutError):
        return f"no answer from {settings.engine} within {settings.timeout_seconds:g} s"
    return described(error)
