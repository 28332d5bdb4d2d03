"""`lcm-plugin dnc`: whom nobody dials any more, by the ledger's own list."""

import getpass
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from cti_hooks import printable
from lcm_plugin.commands.running import NOTHING, config_option, run_to_end, said
from lcm_plugin.do_not_call_list import DoNotCallList, Said, do_not_call_list
from lcm_plugin.instants import instant_of
from lcm_plugin.ledger.barring import Bar

T = TypeVar("T")
_SHOWN: Final = 12
"""Digits of a hash: enough to tell two apart."""

campaign_option = click.option("--campaign", help="Only in this campaign; without it, in all of them.")
actor_option = click.option(
    "--actor", default=getpass.getuser, show_default="who runs it", help="Who says so."
)


def _instant(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    try:
        return instant_of(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


until_option = click.option(
    "--until",
    callback=_instant,
    metavar="TIME",
    help="Until then, as 2027-01-31T18:00:00-05:00; without it, for ever.",
)


@click.group(name="dnc")
def command() -> None:
    """Whom nobody dials any more, on any host of the ledger, whatever the LCM knows.

    Numbers are kept as hashes under the ledger's own key: they go in, and cannot be read out again.

    Exit status: 0 done, 2 settings or a number that is none, 3 nothing to do, 4 ledger unavailable,
    1 anything else.
    """


@command.command(name="list")
@config_option
@click.option("--after", default=0, help="Go on behind this one, the last of the page before.")
@click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1, 10_000), help="Rows at once."
)
def list_(*, config: Path, after: int, limit: int) -> None:
    """List the bars, oldest first: number, kind, hash, campaign, since when, until when, by whom."""
    for number, bar in run_to_end(_on_list(config, lambda one: one.bars(after, limit))):
        click.echo("\t".join(map(printable, _row(number, bar))))


@command.command()
@config_option
@campaign_option
@until_option
@actor_option
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
def add(*, config: Path, campaign: str | None, until: datetime | None, actor: str, numbers: Any) -> None:
    """Bar these numbers from now on."""
    told = Said(campaign=campaign, until=until, actor=actor)
    count = run_to_end(_on_list(config, lambda one: one.add(numbers, told)))
    click.echo(_barred(count, len(set(numbers))))


@command.command()
@config_option
@campaign_option
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
def remove(*, config: Path, campaign: str | None, numbers: Any) -> None:
    """Take the bars of these numbers away; a contact that was barred with its number stays barred."""
    count = run_to_end(_on_list(config, lambda one: one.remove(numbers, campaign)))
    if not count:
        sys.exit(said("none of them is barred by its number", NOTHING))
    click.echo(f"{count} taken off the list")


@command.command()
@config_option
def export(*, config: Path) -> None:
    """Write the whole list to standard output, a line of JSON for each bar.

    It can be imported into a ledger that has the same key: this one, or a copy of it.
    """
    run_to_end(_on_list(config, _export))


@command.command(name="import")
@config_option
@campaign_option
@until_option
@actor_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def import_(*, config: Path, campaign: str | None, until: datetime | None, actor: str, file: Path) -> None:
    """Bar whom a file names: numbers, one in each line, or what `export` wrote. All of it, or nothing."""
    told = Said(campaign=campaign, until=until, actor=actor)
    named, count = run_to_end(_on_list(config, lambda one: one.read(file, told)))
    click.echo(_barred(count, named))


async def _export(one: DoNotCallList) -> None:
    async for line in one.exported():
        click.echo(line)


async def _on_list(config: Path, do: Callable[[DoNotCallList], Awaitable[T]]) -> T:
    async with do_not_call_list(config) as found:
        return await do(found)


def _barred(count: int, named: int) -> str:
    before = f"; {named - count} barred before" if named > count else ""
    return f"{count} barred{before}"


def _row(number: int, bar: Bar) -> tuple[str, ...]:
    until = bar.until.isoformat(timespec="seconds") if bar.until else ""
    since = bar.since.isoformat(timespec="seconds")
    return str(number), bar.kind, bar.subject[:_SHOWN], bar.campaign or "", since, until, bar.actor
