"""Another of a contact's numbers, with its own consent and zones, as GetModeDetails lists them."""

from attrs import evolve

from cti_hooks import Contact
from lcm_plugin.errors import InvalidError


def with_number(contact: Contact, mode_id: str | None) -> Contact:
    """The contact, called at this one of its numbers; at its own if None.

    Raises:
        InvalidError: it has no such number; names those it has.
    """
    if mode_id is None:
        return contact
    mode = next((one for one in contact.modes if one.id == mode_id and one.phone_number), None)
    if mode is None:
        has = ", ".join(f"{one.id} {one.description}".strip() for one in contact.modes) or "none"
        raise InvalidError({"mode_id": f"the contact has no number {mode_id!r}; it has {has}"})
    return evolve(
        contact,
        phone_number=mode.phone_number,
        e164=mode.e164,
        mode=mode.description or mode.id,
        consent=mode.consent,
        time_zones=mode.time_zones or contact.time_zones,
    )
