"""What a site's own program is run with: words in which nothing from outside can begin a command."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

_PLACE: Final = re.compile(r"\{(?:uri|attempt|agent)\}")
_SHELLS: Final = frozenset(
    {"sh", "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "zsh", "cmd", "powershell", "pwsh"}
    | {"su", "runuser"}  # they hand it on to one
)
_RUNS_A_TEXT: Final = re.compile(r"-[A-Za-z]*c[A-Za-z]*|--command|/[ckCK]", re.IGNORECASE)
"""Of a shell's options: after it, and perhaps more options, comes a program in the shell's own language."""
_TAKES_A_WORD: Final = re.compile(r"[-+][A-Za-z]*[oO]")
_HANDED_ON: Final = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY"
    r"|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|SYSTEMROOT|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|USERPROFILE"
)
"""What a program needs to find its files and its screen. The rest of a host's environment has its secrets."""


def filled(words: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """The words with `{uri}`, `{attempt}` and `{agent}` filled in, in one pass, so nothing twice."""
    return [_PLACE.sub(lambda found: values[found[0]], word) for word in words]


def shell_program(words: Sequence[str]) -> str | None:
    """A word that a shell would read as its program and that something is filled into; None if there is none.

    It would be as good as the host's own shell for whoever tells what is filled in.
    """
    return next((word for word in _programs(words) if _PLACE.search(word)), None)


def environment(names: Iterable[str]) -> dict[str, str]:
    """What the program is told of the host's environment: these variables, and what any program needs."""
    wanted = set(names)
    told = os.environ.items()
    return {name: value for name, value in told if name in wanted or _HANDED_ON.fullmatch(name)}


def _programs(words: Sequence[str]) -> Iterator[str]:
    in_shell = False
    for place, word in enumerate(words):
        in_shell = in_shell or PurePath(word).name.lower().removesuffix(".exe") in _SHELLS
        if in_shell and _RUNS_A_TEXT.fullmatch(word):
            yield from _until_no_option(words[place + 1 :])
        elif in_shell and word.startswith(("-c", "--command=")):
            yield word


def _until_no_option(words: Sequence[str]) -> Iterator[str]:
    """Options of the shell's own may stand between `-c` and its program; `-o` takes a word to itself."""
    before = ""
    for word in words:
        yield word
        if not word.startswith(("-", "+")) and not _TAKES_A_WORD.fullmatch(before):
            return
        before = word
