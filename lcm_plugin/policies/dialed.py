"""Which of a contact's numbers is the one being dialed."""

from collections.abc import Iterator

from cti_hooks import Contact, Mode


def dialed_modes(contact: Contact) -> tuple[Mode, ...]:
    """The contact's modes with the number being dialed; those without a number count by id or description."""
    numbers = set(_digits(contact.e164, contact.phone_number))
    names = {contact.mode.casefold()} - {""}
    return tuple(
        mode
        for mode in contact.modes
        if numbers & set(_digits(mode.e164, mode.phone_number))
        or (not mode.phone_number and names & {mode.id.casefold(), mode.description.casefold()})
    )


def _digits(*numbers: str | None) -> Iterator[str]:
    for number in numbers:
        if digits := "".join(filter(str.isdecimal, number or "")):
            yield digits
