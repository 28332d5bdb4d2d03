"""One host's part of what the LCM may be asked."""

from attrs import frozen

from lcm_plugin.supply.bucket import Bucket
from lcm_plugin.supply.rules import Rules


@frozen(kw_only=True, eq=False)
class Caps:
    """The part of one of so many hosts.

    Attributes:
        at_once: questions in flight at the most.
        everything: all questions.
        own: those that agents ask for what is reserved, and on their own account.
    """

    hosts: int
    at_once: int
    everything: Bucket
    own: Bucket

    @classmethod
    def part_of(cls, rules: Rules, hosts: int) -> "Caps":
        """An equal part; one question at once, and one a second, at the least. `own` is each host's."""
        per_second = max(1.0, rules.per_second / hosts)
        return cls(
            hosts=hosts,
            at_once=max(1, rules.at_once // hosts),
            everything=Bucket(per_second, saved=0.1),
            own=Bucket(min(rules.own_per_second, per_second)),
        )
