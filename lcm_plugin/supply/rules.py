"""What a site wants of the supply."""

from attrs import frozen


@frozen(kw_only=True)
class Rules:
    """Times in seconds.

    Attributes:
        poll: a group's pause after an empty answer, at the least and at the most.
        own_seconds: how often an agent asks on their own account.
        shared: whether agents poll for each other; else each asks for themselves, and no group is dry.
        reserved: whether what is reserved is asked for at all.
        reserved_seconds: how often it is.
        by_group: whether a question for what is reserved names a campaign group.
        at_once: questions in flight at the most, of all hosts.
        per_second: questions a second at the most, of all hosts.
        own_per_second: of those that waiting agents ask for what is reserved, and on their own account.
    """

    poll: tuple[float, float]
    own_seconds: float
    shared: bool
    reserved: bool
    reserved_seconds: float
    by_group: bool
    at_once: int
    per_second: float
    own_per_second: float
