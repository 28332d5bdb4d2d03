"""Secrets, as the commands show them: not at all, wherever somebody wrote them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_time

PROGRAM = Path(sys.executable).parent / "lcm-plugin"
SECRET = "hunter2-hunter2"  # noqa: S105  (a test's)
GOOD = {
    "url": '"http://127.0.0.1:9/"',
    "source": '"s"',
    "timezone": '"UTC"',
    "ledger": '"sqlite://"',
}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"ledger": f'"postgresql://127.0.0.1:9/db?password={SECRET}"'},
            "ledger postgresql://127.0.0.1:9/db",
        ),
        ({"ledger": f'"postgresql://u:{SECRET}@127.0.0.1:9/db"'}, "ledger postgresql://u:***@127.0.0.1:9/db"),
        ({"url": f'"ftp://me:{SECRET}@lcm.example.com/"'}, "plugins.lcm.url: must start with"),
        ({"headers": f'"X-API-Key: {SECRET}"'}, "plugins.lcm.headers: must be a table"),
        ({"auth": f'{{ type = "bearer", token_env = "{SECRET}" }}'}, "write a variable's name"),
        ({"auth": f'{{ type = "bearer", token = "{SECRET}" }}'}, "plugins.lcm.auth.token: unknown key"),
    ],
    ids=["in a query", "in a URL", "wrong scheme", "headers as text", "for a variable's name", "as itself"],
)
def test_a_secret_in_any_place_is_not_shown(tmp_path: Path, table: dict[str, str], said: str) -> None:
    """`check -vv` names the setting, and neither its output nor its log has the secret."""
    lines = [f"{key} = {value}" for key, value in {**GOOD, **table}.items()]
    file = tmp_path / "cti.toml"
    file.write_text("\n".join(['[cti]\nplugins = ["lcm"]\n[plugins.lcm]', *lines]))
    done = subprocess.run(  # noqa: S603  (our own program)
        [PROGRAM, "-vv", "check", "--config", file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
