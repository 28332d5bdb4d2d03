"""A file of phone numbers, kept up to date."""

import asyncio
from pathlib import Path
from typing import Final

from lcm_plugin.policies.number_list import (
    NumberList,
    Stamp,
    UnreadableListError,
    read_numbers,
    stamp_of,
)

_NONE: Final[Stamp] = (0, 0)


class NumbersFile:
    """Reads it when it is made, and again when the file changes, once for all questions meanwhile.

    Raises:
        UnreadableListError: it cannot be read now.
    """

    def __init__(self, path: Path, column: str | None) -> None:
        self._path = path
        self._column = column
        self._read: NumberList | UnreadableListError = read_numbers(path, column)
        self._stamp: Stamp = self._read.stamp
        self._reading: asyncio.Task[None] | None = None

    async def numbers(self) -> NumberList:
        """The numbers as the file has them now.

        Raises:
            UnreadableListError: they cannot be read.
        """
        if stamp_of(self._path) != self._stamp:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._again(), name=f"reading {self._path.name}")
            await asyncio.shield(self._reading)
        if isinstance(self._read, UnreadableListError):
            raise UnreadableListError(str(self._read))
        return self._read

    async def close(self) -> None:
        """Wait for a reading under way."""
        if self._reading:
            await asyncio.wait({self._reading})

    async def _again(self) -> None:
        """In a thread: a list may have millions of numbers, and calls go on meanwhile."""
        stamp = _NONE
        try:
            stamp = stamp_of(self._path)
            self._read = await asyncio.to_thread(read_numbers, self._path, self._column)
        except UnreadableListError as error:
            self._read = error
        else:
            stamp = self._read.stamp
        self._stamp = stamp
