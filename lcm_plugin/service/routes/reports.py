"""The route of a report: attempts of some time, for a spreadsheet."""

import logging

from aiohttp import web
from attrs import define, field, frozen

from cti_hooks import Outcome, described
from lcm_plugin.identity import Role
from lcm_plugin.ledger import LedgerError
from lcm_plugin.service.callers import caller_of
from lcm_plugin.service.moments import INSTANT, moment_of
from lcm_plugin.service.reports import Wanted, heading, reported, row
from lcm_plugin.service.routes.attempts import AttemptsRoutes

log = logging.getLogger("lcm_plugin.service")


@frozen(kw_only=True)
class ReportQuery:
    """Which attempts: begun from `since` on and before `until`, of an agent, a campaign, of outcomes."""

    since: str = field(metadata=INSTANT)
    until: str = field(metadata=INSTANT)
    agent: str | None = None
    campaign: str | None = None
    outcome: tuple[Outcome, ...] = ()

    def wanted(self) -> Wanted:
        """What is wanted.

        Raises:
            ProblemError: a time is none.
        """
        return Wanted(
            agent=self.agent,
            since=moment_of("since", self.since),
            until=moment_of("until", self.until),
            campaign=self.campaign,
            outcome=self.outcome,
        )


@define(kw_only=True, eq=False)
class ReportsRoutes:
    """The handlers."""

    attempts: AttemptsRoutes

    async def table(self, query: ReportQuery, request: web.Request) -> web.StreamResponse:
        """A line for each attempt, newest first, as CSV; no cell is a formula, and an auditor's no number.

        If the ledger cannot be read any more the connection is cut off: half a report is no report.
        """
        wanted, caller = query.wanted(), caller_of(request)
        rows = reported(self.attempts.lcm.desks.ledger, wanted)
        first = await anext(rows, None)  # what goes wrong at once is a problem, and no half report
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="attempts.csv"',
            }
        )
        await response.prepare(request)
        whole = caller is None or caller.role is not Role.AUDITOR
        await response.write(heading().encode())
        try:
            if first:
                await response.write(row(first, whole=whole).encode())
            async for attempt in rows:
                await response.write(row(attempt, whole=whole).encode())
            await response.write_eof()
        except (LedgerError, ConnectionError) as error:
            _cut_off(request, error)
        return response


def _cut_off(request: web.Request, error: Exception) -> None:
    log.warning("a report was cut off: %s", described(error))
    if request.transport:
        request.transport.abort()
