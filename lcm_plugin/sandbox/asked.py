"""A request as the sandbox reads it: by the catalogue's names, whatever its spelling."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from attrs import define, field

from lcm_plugin.lcm.catalogue import Field, MessageType
from lcm_plugin.lcm.catalogue.fields import DAY, DAY_AND_TIME
from lcm_plugin.lcm.spelling import MISSING, pick


class RefusedError(Exception):
    """The sandbox says no; `ws` has the actual error if it is one of the documented WS_Errors."""

    def __init__(self, text: str, *, ws: str = "") -> None:
        super().__init__(text)
        self.ws = ws


@define(kw_only=True)
class Asked:
    """A request. `delivered` is whether its reply will arrive."""

    message: MessageType
    data: Mapping[str, Any]
    at: float
    delivered: bool = True
    _values: dict[str, str] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for one in self.message.fields:
            parts = self._values.get(one.name, ""), _text(self.raw(one))
            self._values[one.name] = " ".join(part for part in parts if part)

    def __getitem__(self, name: str) -> str:
        """A value by our name for it; a day and a time of one name are one value."""
        return self._values.get(name, "")

    @property
    def agent_id(self) -> str:
        """For whom."""
        return self["agent"] or self["user"]

    @property
    def count(self) -> int:
        """How many were asked for."""
        return int(self["count"]) if self["count"].isdecimal() else 1

    def raw(self, one: Field) -> Any:
        """What the request has for a field."""
        return pick(self.data, one.wire, *one.also)

    def items(self, name: str) -> list[dict[str, str]]:
        """The items of an array, by our names."""
        (one,) = (found for found in self.message.fields if found.name == name)
        listed = self.raw(one)
        return [
            {part.name: _text(pick(item, part.wire, *part.also)) for part in one.items}
            for item in (listed if isinstance(listed, list) else [])
            if isinstance(item, Mapping)
        ]

    def moment(self, name: str, zone: tzinfo) -> datetime:
        """A moment in the formats the pages state.

        Raises:
            RefusedError: it is in none of them.
        """
        for form in (DAY_AND_TIME, DAY):
            try:
                return datetime.strptime(self[name], form).replace(tzinfo=zone)
            except ValueError:
                continue
        raise RefusedError(f"{name} is not DD/MM/YYYY HH:mm")

    def check(self) -> None:
        """Refuse what lacks a mandatory field.

        Raises:
            RefusedError: names it.
        """
        for one in self.message.fields:
            listed = isinstance(self.raw(one), list)
            if not one.needed or one.default is not None or self[one.name] or listed:
                continue
            if one.name == "call_id":
                raise RefusedError("Invalid Call ID.", ws="Callid is empty")
            raise RefusedError(f"{one.wire} is missing")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is MISSING or value is None or isinstance(value, list | dict) else str(value).strip()
