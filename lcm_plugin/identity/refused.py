"""Why a token lets nobody in."""


class RefusedToken(Exception):
    """A token that is known to be wrong, and why: `has expired`. Its text never holds the token."""


class KeysUnavailable(Exception):
    """The identity provider's keys cannot be had now, so nobody can say whether a token is right."""
