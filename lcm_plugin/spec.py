"""Hooks that only make sense with an LCM; lcm-plugin adds them to the host it is loaded by."""

from collections.abc import Mapping
from typing import Any

from cti_hooks import Declaration, Way, hookspec
from lcm_plugin.config import LcmSettings


@hookspec(Declaration(way=Way.FIRST))
def lcm_transport(settings: LcmSettings) -> object | None:
    """Bring a transport of your own to the LCM.

    Called by lcm-plugin once, when it starts.

    - None: the next is asked; when nobody answers, the one that `url` names.
    - An object with `send(agent, message, deadline) -> reply` and `close()`, as
      `lcm_plugin.lcm.transports.Transport` describes them.
    - An exception is logged and the next is asked; raised when nobody answered, so the host does not start.

    Arguments:
        settings: the settings of `[plugins.lcm]`.
    """


@hookspec(Declaration(way=Way.CHAIN, on="message"))
def lcm_adjust_request(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Change an envelope before it is sent: another spelling, a field the site's gateway wants.

    Called by lcm-plugin for every try of every request.

    - None: it stays as it is.
    - A mapping replaces it.
    - An exception is logged and the envelope stays as it is.

    Arguments:
        message: channel, topic, subtopic, data, source.
    """


@hookspec(Declaration(way=Way.CHAIN, on="message"))
def lcm_adjust_reply(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Change a reply's envelope before it is read.

    Called by lcm-plugin for every reply that is a JSON object.

    - None: it stays as it is.
    - A mapping replaces it.
    - An exception is logged and the reply stays as it is.

    Arguments:
        message: the reply as it came.
    """
