"""Writes docs/openapi.json, the embedded host's API described: `python docs/openapi.py`."""

import json
from pathlib import Path

from cti_hooks import Host
from lcm_plugin.service import Service, ServiceSettings

PAGE = Path(__file__).with_suffix(".json")


def text() -> str:
    """The file as it should be."""
    service = Service(Host.from_config({"cti": {"plugins": []}}), ServiceSettings())
    return json.dumps(service.document, indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    print(f"{PAGE.name}: {len(PAGE.read_text(encoding='utf-8').splitlines())} lines")  # noqa: T201  (a script)
