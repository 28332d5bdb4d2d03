"""Which distribution a plugin comes from, for log lines that people can act on."""

from functools import cache
from importlib.metadata import packages_distributions, version

import pluggy


def origin_of(pm: pluggy.PluginManager, plugin: object) -> str:
    """`acme-cti 1.2`, or the module's name if no distribution is known."""
    for registered, distribution in pm.list_plugin_distinfo():
        if registered is plugin:
            return f"{distribution.project_name} {distribution.version}"
    module = str(getattr(plugin, "__module__", None) or getattr(plugin, "__name__", ""))
    names = _distributions().get(module.partition(".")[0])
    return f"{names[0]} {version(names[0])}" if names else f"module {module}"


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())
