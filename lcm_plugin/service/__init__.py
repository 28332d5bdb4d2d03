"""The embedded host: an HTTP and WebSocket API around `cti_hooks.Host`."""

from lcm_plugin.service.loading import load
from lcm_plugin.service.service import Service, serve
from lcm_plugin.service.settings import ServiceSettings, service_settings

__all__ = ["Service", "ServiceSettings", "load", "serve", "service_settings"]
