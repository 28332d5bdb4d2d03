"""A token that the host makes itself: in a file that its owner alone can read."""

import stat
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from cti_hooks import ConfigError
from lcm_plugin.service import ServiceSettings, load, service_settings
from lcm_plugin.service.token import token_of
from tests.service.test_process import running

SERVICE = 'token_file = "api-token"'


def asked(url: str, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(f"{url}/v1/agents", headers=headers), timeout=20) as reply:  # noqa: S310  (our own)
            return int(reply.status)
    except HTTPError as error:
        return error.code


@pytest.mark.real_time
def test_the_first_start_makes_it(tmp_path: Path) -> None:
    """It is made beside the config file for its owner only, and kept; whoever shows it is let in."""
    file, seen = tmp_path / "api-token", set()
    for _ in range(2):
        with running(tmp_path, service=SERVICE) as (_process, url):
            seen.add(token := file.read_text().strip())
            assert [asked(url), asked(url, "wrong"), asked(url, token)] == [401, 401, 200]
        said = (tmp_path / "stderr").read_text()
        assert "no token is set" not in said
        assert token not in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(seen) == 1
    assert len(token) >= 32


def test_looking_at_the_settings_makes_none(tmp_path: Path) -> None:
    """`check` and the other commands make no file."""
    (tmp_path / "cti.toml").write_text(f"[cti]\nplugins = []\n[service]\n{SERVICE}\n")
    load(tmp_path / "cti.toml")
    assert not (tmp_path / "api-token").exists()


def test_looking_at_the_settings_finds_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """`check` says what the start would say, beside all other mistakes."""
    (tmp_path / "cti.toml").write_text(f'[cti]\nplugins = ["nobody"]\n[service]\n{SERVICE}\n')
    (tmp_path / "api-token").write_text("t0ken\n")
    (tmp_path / "api-token").chmod(0o644)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "cti.toml")
    assert "service.token_file" in str(raised.value)
    assert 'no plugin "nobody" is installed' in str(raised.value)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("t0ken\n", 0o644, "others can read it; chmod 600"),
        ("t0ken\n", 0o602, "others can write it"),
        (" \n", 0o600, "is empty; remove it, and a token is made at the next start"),
        ("t0ken\n", 0o600, None),
    ],
)
def test_a_file_that_is_there(tmp_path: Path, text: str, mode: int, said: str | None) -> None:
    """It is read, whoever made it; not if others can use it, or if nothing is in it. Then nothing starts."""
    file = tmp_path / "api-token"
    file.write_text(text)
    file.chmod(mode)
    settings = ServiceSettings(token_file="api-token")  # noqa: S106  (a file's name)
    if said is None:
        assert token_of(settings, tmp_path) == "t0ken"
        return
    with pytest.raises(ConfigError) as raised:
        token_of(settings, tmp_path)
    assert "service.token_file" in str(raised.value)
    assert said in str(raised.value)
    assert "t0ken" not in str(raised.value)


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    """If there is no such directory, the settings are wrong, in one sentence."""
    settings = ServiceSettings(token_file="nowhere/api-token")  # noqa: S106  (a file's name)
    with pytest.raises(ConfigError, match=r"service\.token_file: cannot be made: no such file or directory"):
        token_of(settings, tmp_path)


@pytest.mark.parametrize("more", [{"host": "0.0.0.0"}, {"allowed_hosts": ["cti.example.com"]}])  # noqa: S104  (with a token)
def test_it_is_a_token(more: dict[str, Any]) -> None:
    """With it the API may listen on an address that others reach, and behind a proxy."""
    assert service_settings({"token_file": "api-token", **more}, "cti.toml").with_token


def test_two_tokens_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in the environment or in a file."""
    monkeypatch.setenv("API_TOKEN", "t0ken")
    with pytest.raises(ConfigError, match=r"service\.token_file: token_env is set, too: keep one of them"):
        service_settings({"token_file": "api-token", "token_env": "API_TOKEN"}, "cti.toml")
