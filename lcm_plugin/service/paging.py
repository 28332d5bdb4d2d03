"""A page of a list: as JSON, with the way to the next one in the header Link."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from aiohttp import web
from attrs import field, frozen, validators

from lcm_plugin.service.callers import caller_of, shown_to

T = TypeVar("T")
MOST: Final = 1000


def limit() -> Any:
    """The field of a query that says how many rows a page has at the most."""
    return field(
        default=100,
        validator=[validators.ge(1), validators.le(MOST)],
        metadata={"schema": {"minimum": 1, "maximum": MOST}},
    )


@frozen(kw_only=True)
class PageQuery:
    """Which page: what comes after the row of that id, so many."""

    limit: int = limit()
    before: str = ""


def page(request: web.Request, rows: Sequence[T], most: int, last: Callable[[T], object]) -> web.Response:
    """These rows; if there may be more, the header Link leads on from the last one."""
    headers = {}
    if len(rows) == most:
        following = request.rel_url.update_query(before=str(last(rows[-1])))
        headers = {"Link": f'<{following}>; rel="next"'}
    return web.json_response(shown_to(caller_of(request), rows), headers=headers)
