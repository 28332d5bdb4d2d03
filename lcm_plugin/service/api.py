"""The routes: the one table of what is served. `docs/openapi.json` is made of it too."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import web
from attrs import define

from cti_hooks import Attempt
from lcm_plugin.desk import CallbackList, OutcomeLists
from lcm_plugin.explanation import Explanation
from lcm_plugin.identity import Caller
from lcm_plugin.identity.tickets import Ticket
from lcm_plugin.ledger import DoubtfulAgent, Lease, Message, Past
from lcm_plugin.service.agents import AgentShown
from lcm_plugin.service.call_events import CallEventTold
from lcm_plugin.service.guard import CALL_EVENTS
from lcm_plugin.service.paging import PageQuery
from lcm_plugin.service.rights import ALL, OWN, READS, SEES, TELLS, Rights
from lcm_plugin.service.route import Route
from lcm_plugin.service.routes.agents import AgentsRoutes, AgentUpdate, CallbacksQuery
from lcm_plugin.service.routes.attempts import (
    AttemptsQuery,
    AttemptsRoutes,
    AttemptStory,
    ExplanationQuery,
    PastQuery,
    no_such,
)
from lcm_plugin.service.routes.calls import (
    AnswerTold,
    CallbackChecked,
    CallbackTold,
    CallsRoutes,
    Cleared,
    DispositionTold,
    Heard,
    KeepTold,
)
from lcm_plugin.service.routes.dialing import DialingRoutes, DialingShown, Scope
from lcm_plugin.service.routes.identity import IdentityRoutes, TicketWanted
from lcm_plugin.service.routes.ledger import LedgerRoutes, MessagesQuery, MessagesTold, SeenTo
from lcm_plugin.service.routes.reports import ReportQuery, ReportsRoutes
from lcm_plugin.service.routes.site import Alive, Readiness, SiteRoutes

_NO_LEDGER = {
    HTTPStatus.NOT_IMPLEMENTED: 'this host has no plugin "lcm", which keeps the attempts',
    HTTPStatus.SERVICE_UNAVAILABLE: "the ledger cannot be reached now",
}
_NO_ATTEMPT = {HTTPStatus.NOT_FOUND: "there is no attempt of this id", **_NO_LEDGER}


@define(kw_only=True, eq=False)
class Api:
    """What is served, by the part of the API that it belongs to."""

    agents: AgentsRoutes
    attempts: AttemptsRoutes
    calls: CallsRoutes
    dialing: DialingRoutes
    ledger: LedgerRoutes
    reports: ReportsRoutes
    identity: IdentityRoutes
    site: SiteRoutes

    def table(self) -> list[Route]:
        """All routes."""
        own = [*self._agents(), *self._attempts(), *self._calls(), *self._dialing(), *self._ledger()]
        return [*own, *self._identity(), *self._site()]

    def web_routes(self) -> list[web.RouteDef]:
        """The routes as aiohttp serves them."""
        rights = Rights(attempt=self.attempts.one, no_such=no_such)
        return [route.web_route(rights) for route in self.table()]

    async def close(self) -> None:
        """Send subscribers away."""
        await self.site.close()

    def _agents(self) -> list[Route]:
        agents, one = self.agents, "/v1/agents/{agent_id}"
        unknown = {HTTPStatus.NOT_FOUND: "the agent was never told of"}
        return [
            Route(
                method="PUT", path=one, handler=agents.put, body=AgentUpdate, answer=AgentShown, roles=OWN,
                gives_caller=True,
                problems={HTTPStatus.CONFLICT: "there are as many agents as there may be"},
            ),
            Route(
                method="GET", path="/v1/agents", handler=agents.list, query=PageQuery,
                answer=list[AgentShown], gives_response=True, roles=SEES,
            ),
            Route(
                method="GET", path=one, handler=agents.get, answer=AgentShown, problems=unknown, roles=SEES,
            ),
            Route(
                method="GET", path=f"{one}/callbacks", handler=agents.callbacks, query=CallbacksQuery,
                answer=CallbackList, problems=_NO_LEDGER, roles=SEES,
            ),
        ]  # fmt: skip

    def _attempts(self) -> list[Route]:
        attempts, one = self.attempts, "/v1/attempts/{attempt_id}"
        no_contact = {HTTPStatus.CONFLICT: "the attempt has no contact", **_NO_ATTEMPT}
        return [
            Route(
                method="GET", path="/v1/reports/attempts.csv", handler=self.reports.table, query=ReportQuery,
                answer=str, media="text/csv", problems=_NO_LEDGER, gives_response=True, roles=READS,
            ),
            Route(
                method="GET", path="/v1/attempts", handler=attempts.list, query=AttemptsQuery,
                answer=list[Attempt], problems=_NO_LEDGER, gives_response=True, roles=SEES,
            ),
            Route(
                method="GET", path=one, handler=attempts.get, answer=AttemptStory, problems=_NO_ATTEMPT,
                roles=SEES,
            ),
            Route(
                method="GET", path=f"{one}/past", handler=attempts.past, query=PastQuery, answer=list[Past],
                problems=_NO_ATTEMPT, roles=SEES,
            ),
            Route(
                method="GET", path=f"{one}/explanation", handler=attempts.explain, query=ExplanationQuery,
                answer=Explanation, problems=no_contact, roles=SEES, gives_caller=True,
            ),
        ]  # fmt: skip

    def _calls(self) -> list[Route]:
        calls, one = self.calls, "/v1/attempts/{attempt_id}"
        conflict = {HTTPStatus.CONFLICT: "not as the attempt stands; `refusals` says which rules say no"}
        wrong = {HTTPStatus.UNPROCESSABLE_ENTITY: "it cannot be right; `errors` names each field"}
        no_lists = {HTTPStatus.BAD_GATEWAY: "the LCM refused, or answered what cannot be read", **_NO_ATTEMPT}
        return [
            Route(
                method="POST", path=f"{one}/answer", handler=calls.answer, body=AnswerTold, answer=Attempt,
                problems={**conflict, **wrong, **_NO_ATTEMPT}, roles=OWN, gives_caller=True,
            ),
            Route(
                method="POST", path=f"{one}/keep", handler=calls.keep, body=KeepTold, answer=Attempt,
                problems={**conflict, **_NO_ATTEMPT}, roles=OWN, gives_caller=True,
            ),
            Route(
                method="POST", path=f"{one}/callback-check", handler=calls.check_callback, body=CallbackTold,
                answer=CallbackChecked, problems={**conflict, **wrong, **_NO_ATTEMPT}, roles=OWN,
            ),
            Route(
                method="POST", path=f"{one}/clear", handler=calls.clear, answer=Cleared,
                problems={HTTPStatus.CONFLICT: "it has no call that is up", **_NO_ATTEMPT}, roles=OWN,
            ),
            Route(
                method="POST", path=f"{one}/disposition", handler=calls.dispose, body=DispositionTold,
                answer=Attempt, problems={**conflict, **wrong, **_NO_ATTEMPT}, roles=OWN, gives_caller=True,
            ),
            Route(
                method="GET", path=f"{one}/outcomes", handler=calls.outcomes, answer=OutcomeLists,
                problems=no_lists, roles=SEES,
            ),
            Route(
                method="POST", path=CALL_EVENTS, handler=calls.hear, body=CallEventTold, answer=Heard,
                status=HTTPStatus.ACCEPTED, gives_response=True, roles=TELLS,
                problems={HTTPStatus.CONFLICT: "told before, or one call too many", **wrong},
            ),
        ]  # fmt: skip

    def _dialing(self) -> list[Route]:
        dialing, root = self.dialing, "/v1/dialing"
        route = partial(Route, answer=DialingShown, problems=_NO_LEDGER)
        return [
            route(method="GET", path=root, handler=dialing.show, roles=READS),
            route(method="POST", path=f"{root}/stop", handler=dialing.stop, body=Scope, gives_caller=True),
            route(method="POST", path=f"{root}/resume", handler=dialing.resume, body=Scope),
        ]

    def _ledger(self) -> list[Route]:
        ledger = self.ledger
        route = partial(Route, method="GET", problems=_NO_LEDGER, gives_response=True, roles=READS)
        wrong = {HTTPStatus.UNPROCESSABLE_ENTITY: "it cannot be right; `errors` names each field"}
        problems = {**wrong, **_NO_LEDGER}
        told = partial(
            Route, method="POST", body=MessagesTold, answer=SeenTo, problems=problems, gives_caller=True
        )
        return [
            told(path="/v1/messages/resend", handler=ledger.resend),
            told(path="/v1/messages/withdraw", handler=ledger.withdraw),
            route(path="/v1/messages", handler=ledger.messages, query=MessagesQuery, answer=list[Message]),
            route(path="/v1/doubts", handler=ledger.doubts, query=PageQuery, answer=list[DoubtfulAgent]),
            route(path="/v1/hosts", handler=ledger.hosts, query=PageQuery, answer=list[Lease]),
        ]

    def _identity(self) -> list[Route]:
        identity = self.identity
        route = partial(Route, gives_caller=True)
        return [
            route(method="GET", path="/v1/me", handler=identity.me, answer=Caller, roles=ALL),
            route(
                method="POST", path="/v1/tickets", handler=identity.ticket, body=TicketWanted, answer=Ticket,
                status=HTTPStatus.CREATED, roles=SEES,
            ),
        ]  # fmt: skip

    def _site(self) -> list[Route]:
        site = self.site
        unready = {HTTPStatus.SERVICE_UNAVAILABLE: "not ready; `reasons` says why"}
        return [
            Route(
                method="GET", path="/v1/events", handler=site.events, answer=None, gives_response=True,
                status=HTTPStatus.SWITCHING_PROTOCOLS, roles=SEES,
                problems={HTTPStatus.BAD_REQUEST: "the request is no WebSocket handshake"},
            ),
            Route(method="GET", path="/healthz", handler=site.healthz, answer=Alive, roles=ALL),
            Route(
                method="GET", path="/readyz", handler=site.readyz, answer=Readiness, answers=unready,
                gives_response=True, roles=ALL,
            ),
            Route(
                method="GET", path="/openapi.json", handler=site.openapi, answer=Mapping[str, Any], roles=ALL
            ),
            Route(
                method="GET", path="/metrics", handler=site.metrics, answer=str, media="text/plain",
                gives_response=True, roles=READS,
            ),
        ]  # fmt: skip
