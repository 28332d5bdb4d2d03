"""`lcm-plugin sandbox`."""

import asyncio
from pathlib import Path
from typing import Final

import click

from cti_hooks import masked_text
from lcm_plugin.commands.running import run_to_end
from lcm_plugin.sandbox import MEANINGS, Callbacks, Fault, Sandbox, SandboxContact

_FAULTS: Final = "\n\n".join(f"{name}: {meaning}." for name, meaning in MEANINGS.items())


@click.command(name="sandbox")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Default: any free one.")
@click.option("--contacts", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="People to call, JSON or CSV. Default: made up.")  # fmt: skip
@click.option("--callbacks", type=click.Choice([one.value for one in Callbacks]),
              default=Callbacks.RESERVED.value, show_default=True,
              help="Which download gives an agent's personal callback once it is due.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="SPEC", help=f"NAME[,key=value]...\n\n{_FAULTS}")
def command(port: int, contacts: Path | None, callbacks: str, faults: tuple[str, ...]) -> None:
    """An LCM to develop and test against. The first line of output is its URL.

    Exit status: 0 interrupted, 2 wrong options, 1 anything else, as a port that is taken.
    """
    try:
        people = SandboxContact.read(contacts) if contacts else None
        ordered = [Fault.parse(spec) for spec in faults]
    except ValueError as error:
        raise click.UsageError(masked_text(str(error))) from None
    run_to_end(_sandbox(Sandbox(contacts=people, port=port, callbacks=Callbacks(callbacks)), ordered))


async def _sandbox(sandbox: Sandbox, faults: list[Fault]) -> None:
    async with sandbox as lcm:
        for fault in faults:
            lcm.order(fault)
        click.echo(lcm.url)
        click.echo(lcm.ws_url)
        await asyncio.get_running_loop().create_future()
