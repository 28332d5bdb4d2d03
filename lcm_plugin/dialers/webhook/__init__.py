"""The dialer that hands calls to a site's own click-to-dial endpoint."""

from lcm_plugin.dialers.webhook.dialer import WebhookDialer

__all__ = ["WebhookDialer"]
