"""What plugins answered to `report_health`, one that could not answer among them."""

from collections.abc import Iterable

from cti_hooks.masking import described
from cti_hooks.values import Answer, Health


def health_of(answers: Iterable[Answer]) -> list[Health]:
    """All that was reported, in call order; a failed answer is a thing that is not good."""
    return [one for answer in answers for one in _reported(answer)]


def _reported(answer: Answer) -> list[Health]:
    if answer.error is None:
        return list(answer.value or ())
    seen = f"cannot tell how it is: {described(answer.error)}"
    return [Health(what=f"plugin {answer.plugin}", good=False, seen=seen)]
