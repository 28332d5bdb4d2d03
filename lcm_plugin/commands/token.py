"""`lcm-plugin token`."""

import hashlib
import secrets
from typing import Final

import click

from lcm_plugin.identity.caller import Role

_BYTES: Final = 32
"""Of chance: as many as nobody guesses."""


@click.command(name="token")
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What it lets do."
)
@click.option("--agent", metavar="ID", help="With the role agent: which one, if not NAME.")
def command(name: str, role: str, agent: str | None) -> None:
    """Make a token for NAME: lines for the config file, which hold its hash; and the token itself, once."""
    if agent and role != Role.AGENT:
        raise click.UsageError("--agent goes with --role agent only")
    token = secrets.token_urlsafe(_BYTES)
    click.echo(f"[service.tokens.{_key(name)}]")
    click.echo(f'role = "{role}"')
    if agent:
        click.echo(f"agent = {_key(agent, bare=False)}")
    click.echo(f'sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"')
    click.echo("give this token to its owner; it is shown this once:", err=True)
    click.echo(token, err=True)


def _key(text: str, *, bare: bool = True) -> str:
    """A text as TOML has it: as a key that needs no quotes, or in quotes."""
    if bare and text.isascii() and text.replace("-", "").replace("_", "").isalnum():
        return text
    if not text.isprintable():
        raise click.UsageError("a name has no control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
