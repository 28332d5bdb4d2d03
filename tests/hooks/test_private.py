"""Files that others can write or read: the config file, and those of secrets."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cti_hooks import ConfigError, Host
from cti_hooks.secret import SecretError, not_set, read_secret

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no other system tells it by modes")


def secret_in(file: Path, mode: int) -> str:
    file.write_text("s3cret\n")
    file.chmod(mode)
    return read_secret(env=None, file=file.name, directory=file.parent)


def test_a_config_file_that_others_can_write_is_refused(tmp_path: Path) -> None:
    """Who writes it names the programs the host runs: one sentence, with the way out."""
    file = tmp_path / "cti.toml"
    file.write_text("[cti]\nplugins = []\n")
    file.chmod(0o646)
    with pytest.raises(ConfigError) as refused:
        Host.from_config(file)
    (problem,) = refused.value.problems
    assert str(problem) == f"others can write it; read it over, then chmod go-w {file}"
    file.chmod(0o644)
    assert Host.from_config(file)


@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o602, "others can write it"), (0o604, "others can read it; chmod 600")],
    ids=["written", "read"],
)
def test_a_secrets_file_is_its_owners_only(tmp_path: Path, mode: int, said: str) -> None:
    """A file that others can write or read is no secret's: it is named, with the way out, and not read."""
    assert secret_in(tmp_path / "token", 0o600) == "s3cret"
    with pytest.raises(SecretError, match=said) as refused:
        secret_in(tmp_path / "token", mode)
    assert "cannot be read from file token" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_the_group_reads_only_what_is_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an orchestrator mounts secrets: root's, and readable by the service's group."""
    stat = os.fstat

    def owned_by(uid: int) -> None:
        monkeypatch.setattr(os, "fstat", lambda fd: os.stat_result([*stat(fd)[:4], uid, *stat(fd)[5:]]))

    owned_by(0)
    assert secret_in(tmp_path / "token", 0o640) == "s3cret"
    owned_by(1000)
    with pytest.raises(SecretError, match=r"others can read it; chmod 600 \S+$"):
        secret_in(tmp_path / "token", 0o640)
    owned_by(0)
    with pytest.raises(SecretError, match=r"or mount it with mode 0440 and the host's group \(Kubernetes: "):
        secret_in(tmp_path / "token", 0o444)


@pytest.mark.parametrize("members", [[], ["cti"], ["cti", "guest"]], ids=str)
def test_a_group_of_the_owners_own_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: list[str]
) -> None:
    """Under the umask 0002 of many systems a file is its group's too, in which nobody else is."""
    stat = os.fstat
    ids = (1000, 1000)
    monkeypatch.setattr(os, "fstat", lambda fd: os.stat_result([*stat(fd)[:4], *ids, *stat(fd)[6:]]))
    monkeypatch.setattr("pwd.getpwuid", lambda _: SimpleNamespace(pw_name="cti"))
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_name="cti", gr_mem=members))
    for mode in (0o640, 0o660):
        if "guest" not in members:
            assert secret_in(tmp_path / "token", mode) == "s3cret"
            continue
        with pytest.raises(SecretError, match="others can"):
            secret_in(tmp_path / "token", mode)


@pytest.mark.parametrize("written", ["hunter2", "s3cret-of-mine", "QXJ3K9"], ids=str)
def test_a_secret_in_the_wrong_place_is_not_shown(written: str) -> None:
    """What is no variable's name may be the secret itself: the setting is named, what it says is not."""
    told = str(not_set("token_env", written))
    assert (
        told == "token_env: names no variable of the environment; write a variable's name, never the secret"
    )
    assert (
        str(not_set("token_env", "API_TOKEN"))
        == "token_env: the environment has no variable API_TOKEN; set it"
    )
