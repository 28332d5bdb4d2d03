"""Whether this host can place calls at all."""

from cti_hooks import Health
from lcm_plugin.config import ON_REQUEST, LcmSettings
from lcm_plugin.desk.site import Site


def dialer_health(site: Site, settings: LcmSettings) -> Health | None:
    """Whether a plugin is enabled that places calls; None if contacts are given on request only.

    A caller that asks for contacts itself, as `lcm-plugin next` does, may call them by other means.
    """
    if set(settings.fetch_when) == {ON_REQUEST}:
        return None
    dialers = ", ".join(site.dialers)
    seen = dialers or "none is enabled, so nobody is called; enable one in [cti] plugins"
    return Health(what="dialer", good=bool(dialers), seen=seen)
