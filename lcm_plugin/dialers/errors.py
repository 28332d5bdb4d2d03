"""What can go wrong in any dialer."""


class RepeatedAttemptError(RuntimeError):
    """The attempt was dialed before: placing it again would ring someone twice."""
