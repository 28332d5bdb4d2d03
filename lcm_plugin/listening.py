"""Addresses: whether one can be listened on, and whether others reach it."""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager


class AddressError(OSError):
    """An address cannot be listened on; the text says which, why, and what to do."""


@contextmanager
def listening_on(host: str, port: int, way_out: str) -> Iterator[None]:
    """Around the call that begins to listen.

    Raises:
        AddressError: the port is taken or needs more rights, or this machine does not have the address.
    """
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
        raise AddressError(f"cannot listen on {host} port {port}: {why}; {way_out}") from None


def is_loopback(host: str) -> bool:
    """Whether only this machine is reached by this name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
