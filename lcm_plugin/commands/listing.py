"""A page of what the ledger holds, as a table, lines or JSON; beside it what to do, and if there is more."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import click
from attrs import frozen
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cti_hooks import printable
from lcm_plugin.attempts import LedgerTool, Page, Wanted
from lcm_plugin.commands import telling
from lcm_plugin.commands.telling import Row
from lcm_plugin.presentation import as_json as presented


@frozen(kw_only=True)
class Listing:
    """One of the lists: how a page of it is got, and how its rows are told."""

    get: Callable[[LedgerTool, Wanted], Awaitable[Page[Any]]]
    head: Row
    rows: Callable[[Sequence[Any], datetime], list[Row]]
    last: Callable[[Any], object]
    """What names a row, to go on behind it."""
    as_json: Callable[[Any], Any] = presented


_LISTINGS: Final = {
    "attempts": Listing(
        get=lambda tool, wanted: tool.attempts(wanted),
        head=telling.ATTEMPT,
        rows=telling.attempt_rows,
        last=lambda one: one.attempt.id,
        as_json=lambda one: one.as_json(),
    ),
    "messages": Listing(
        get=lambda tool, wanted: tool.messages(wanted),
        head=telling.MESSAGE,
        rows=telling.message_rows,
        last=lambda one: one.id,
    ),
    "doubts": Listing(
        get=lambda tool, wanted: tool.doubts(wanted),
        head=telling.DOUBT,
        rows=telling.doubt_rows,
        last=lambda one: one.agent,
    ),
    "hosts": Listing(
        get=lambda tool, wanted: tool.hosts(wanted),
        head=telling.HOST,
        rows=telling.host_rows,
        last=lambda one: one.id,
    ),
}


async def show(tool: LedgerTool, what: str, wanted: Wanted, *, as_json: bool) -> None:
    """Print a page of this list: rows on standard output, what else is to be known on standard error."""
    listing = _LISTINGS[what]
    page = await listing.get(tool, wanted)
    if as_json:
        click.echo(json.dumps([listing.as_json(one) for one in page.rows], indent=2))
    else:
        _print(listing.head, listing.rows(page.rows, tool.clock.now()))
    for line in await _beside(tool, what, page, listing):
        click.echo(line, err=True)


async def _beside(tool: LedgerTool, what: str, page: Page[Any], listing: Listing) -> list[str]:
    lines = []
    if what in {"attempts", "messages"} and (count := await tool.count_kept()):
        wait = "1 message waits" if count == 1 else f"{count} messages wait"
        listed = "" if what == "messages" else "; --messages lists them"
        lines.append(
            f"{wait} for a person: `lcm-plugin attempts resend ID` sends what attempt ID has of them again,"
            f" `withdraw ID` gives it up{listed}"
        )
    if page.more:
        lines.append(f"there are more: --before {listing.last(page.rows[-1])} goes on")
    return lines


def _print(head: Row, rows: list[Row]) -> None:
    shown = [tuple(map(printable, row)) for row in rows]
    if not sys.stdout.isatty():
        for row in shown:
            click.echo("\t".join(row))
        return
    table = Table(*head)
    for row in shown:
        table.add_row(*map(escape, row))
    Console().print(table)
