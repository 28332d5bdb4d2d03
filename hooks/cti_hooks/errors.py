"""What can go wrong between a host and its plugins."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import attrs

from cti_hooks.masking import described


class HookError(Exception):
    """A hook call failed through no exception of the plugin's own."""


class HookUsageError(HookError, TypeError):
    """The caller asked in a way this hook is not declared for, with other arguments, or on another loop."""


class HookResultError(HookError, TypeError):
    """A plugin returned what its hook does not allow."""


class HookOverrunError(HookError, TimeoutError):
    """A plugin did not answer within its hook's time limit."""


class HookCancelledError(HookError):
    """A plugin raised CancelledError though nobody had cancelled it."""


class DeclinedError(Exception):
    """Raised by a plugin: what it was asked for cannot be right, or does not go with how things stand.

    It is for the caller to mend, and the caller is told; nothing has failed, so it is logged as no failure.
    """


class NotPlacedError(DeclinedError):
    """Raised by `make_call`: nothing was placed, and nothing will be of this order.

    Only for what was seen before anything was sent to an engine or a program: it leaves no doubt.
    """


class PluginError(Exception):
    """A plugin cannot be registered as it is: unknown hooks, forgotten marks, arguments never given."""


class CannotTellError(ConnectionError):
    """Raised by `find_call`: some of a backend's engines could not be asked, and no other one has the call.

    `engines` are the names of those that could not be, the keys of `failures`.
    """

    def __init__(self, failures: Mapping[str, BaseException]) -> None:
        self.engines = frozenset(failures)
        super().__init__("; ".join(f"{engine}: {described(error)}" for engine, error in failures.items()))


@attrs.frozen
class Problem:
    """One thing wrong with the settings: `key` is a dotted path, `text` says what and the way out."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text

    def under(self, prefix: str) -> "Problem":
        """The same problem, seen from one table further out."""
        return Problem(f"{prefix}.{self.key}" if self.key else prefix, self.text)


class ConfigError(ValueError):
    """Settings that cannot be used; every problem found is in `problems`.

    A plugin's factory raises it with keys relative to its own table; the host adds the table's name and
    the file, and reports the problems of all plugins together.
    """

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__(self._text())

    def _text(self) -> str:
        count = len(self.problems)
        head = f"{self.source or 'settings'}: {count} problem{'s' if count != 1 else ''}"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def closest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known word that `word` is most likely a slip of, case aside, or None.

    `cutoff` is how alike they are at the least, of 1.
    """
    words = {one.casefold(): one for one in known}
    found = get_close_matches(word.casefold(), words, n=1, cutoff=cutoff)
    return words[found[0]] if found else None


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "timezone"?` if a known word is near, else the list of known words."""
    words = sorted(known)
    right = closest(word, words)
    if right:
        return f'; did you mean "{right}"?'
    return f"; known: {', '.join(words)}" if words else ""
