"""`lcm-plugin attempts`: what the ledger holds, what waits for a person, and what that person says to it."""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import click

from cti_hooks import printable
from lcm_plugin import attempts
from lcm_plugin.attempts import LedgerTool, Letters, NoAttemptError, Wanted
from lcm_plugin.commands import telling
from lcm_plugin.commands.listing import show
from lcm_plugin.commands.running import NOTHING, config_option, run_to_end, said
from lcm_plugin.ledger import KEPT, LetterState

T = TypeVar("T")

_WORDS: Final = "[ID | forget KEY [SOURCE] | resend [ID]... | withdraw [ID]... | adopt]"
_DONE: Final = {"resend": "will be sent again", "withdraw": "given up"}


@click.command(name="attempts")
@config_option
@click.option("--open", "only_open", is_flag=True, help="Only those that are not closed.")
@click.option("--messages", "what", flag_value="messages",
              help="Instead, the messages to the LCM that wait for a person.")  # fmt: skip
@click.option("--doubts", "what", flag_value="doubts",
              help="Instead, the agents for whom the LCM may hold a contact that never came.")  # fmt: skip
@click.option("--hosts", "what", flag_value="hosts", help="Instead, the hosts that live, and their leases.")
@click.option("--unconfirmed", is_flag=True, help="Of messages: those that may have reached the LCM.")
@click.option("--rejected", is_flag=True, help="Of messages: those that the LCM rejected.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 10_000),
              help="Rows at once.")  # fmt: skip
@click.option(
    "--before", metavar="ID", default="", help="Go on behind this one, the last of the page before."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, numbers in full.")
@click.argument("words", nargs=-1, metavar=_WORDS)
def command(  # noqa: PLR0913  (one for each option)
    *,
    config: Path,
    only_open: bool,
    what: str | None,
    unconfirmed: bool,
    rejected: bool,
    limit: int,
    before: str,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """What the ledger holds, what waits for a person first; with an ID, one attempt, line by line.

    forget KEY takes the person of an LCM key out of the ledger; forget KEY PLUGIN, a person whom that plugin
    gave. resend ID sends again what may not have reached the LCM, or was rejected; withdraw ID
    gives it up, and later messages of the contact go on. Both take several IDs, or for all that are so
    --unconfirmed or --rejected. adopt makes a copied ledger file the one in use.

    Exit status: 0 done, 3 no such attempt, or nothing to do, 2 settings, 4 ledger unavailable, 1 anything
    else, as a person who is not to be forgotten yet.
    """
    named = [state for state, is_named in zip(KEPT, (unconfirmed, rejected), strict=True) if is_named]
    states = tuple(named or KEPT)
    match words:
        case ():
            wanted = Wanted(states=states, only_open=only_open, limit=limit, before=before)
            run_to_end(_on_ledger(config, lambda one: show(one, what or "attempts", wanted, as_json=as_json)))
        case ("adopt",):
            click.echo(f"{run_to_end(attempts.adopt(config))} is the ledger from now on")
        case ("forget", key) | ("forget", key, _):
            source = "".join(words[2:])
            click.echo("\n".join(run_to_end(_on_ledger(config, lambda one: _forget(one, key, source)))))
        case ("resend" | "withdraw" as word, *ids) if ids or named:
            sys.exit(run_to_end(_on_ledger(config, lambda one: _see_to(one, word, ids, states))))
        case ("resend" | "withdraw" as word,):
            raise click.UsageError(
                f"write IDs behind {word}, or --unconfirmed or --rejected for all that are"
            )
        case (attempt_id,):
            story = run_to_end(_on_ledger(config, lambda one: one.story(attempt_id)))
            lines = [json.dumps(story.as_json(), indent=2)] if as_json else telling.told(story)
            click.echo("\n".join(lines))
        case _:
            raise click.UsageError("write an ID, forget KEY, resend ID, withdraw ID or adopt")


async def _on_ledger(config: Path, do: Callable[[LedgerTool], Awaitable[T]]) -> T:
    async with attempts.ledger_tool(config) as tool:
        return await do(tool)


async def _forget(tool: LedgerTool, key: str, source: str) -> list[str]:
    count, left = await tool.forget(key, source)
    if not count:
        whose = f" of {printable(source)}" if source else ""
        raise NoAttemptError(
            f"{tool.name} knows nobody of the key {printable(key)}{whose}, so nobody was forgotten;"
            " `lcm-plugin attempts` lists the keys"
        )
    return telling.forgotten(count, left)


async def _see_to(tool: LedgerTool, word: str, ids: Sequence[str], states: Sequence[LetterState]) -> int:
    """Resend or withdraw what attempts have kept, all of them if none is named; the exit status."""
    act: Letters = tool.resend if word == "resend" else tool.withdraw
    done = {one: await act(one, states) for one in ids or await tool.with_messages(states)}
    for nothing in (one for one, count in done.items() if not count):
        said(await _why_nothing(tool, nothing, states), NOTHING)
    if not done:
        said(f"no message to the LCM is {_either(states)}", NOTHING)
    if total := sum(done.values()):
        click.echo(f"{total} message{'s' if total > 1 else ''} {_DONE[word]}")
    return 0 if done and all(done.values()) else NOTHING


async def _why_nothing(tool: LedgerTool, attempt_id: str, states: Sequence[LetterState]) -> str:
    try:
        await tool.story(attempt_id)
    except NoAttemptError as error:
        return str(error)
    return (
        f"no message of attempt {attempt_id} is {_either(states)};"
        f" `lcm-plugin attempts {attempt_id}` shows what became of them"
    )


def _either(states: Sequence[LetterState]) -> str:
    return " or ".join(states)
