"""From a config file to what `run` serves: its host, and the settings of the API around it."""

from pathlib import Path

from attrs import evolve

from cti_hooks import ConfigError, Host
from cti_hooks.config_file import read_config
from lcm_plugin.service.settings import ServiceSettings, service_settings
from lcm_plugin.service.token import refuse_unusable


def load(file: Path, *, observes: bool = False) -> tuple[Host, ServiceSettings]:
    """The host of a config file, and the settings of its `[service]` table; nothing is started.

    Raises:
        ConfigError: with every problem of the file, of all its plugins and of `[service]` at once.
    """
    config = read_config(file)
    try:
        settings = service_settings(config.tables["service"], config.source)
        refuse_unusable(settings, config.directory)
    except ConfigError as error:
        config = evolve(config, problems=(*config.problems, *error.problems))  # no host is made of it
    return Host(config, observes=observes), settings
