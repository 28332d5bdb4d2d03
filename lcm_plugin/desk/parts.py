"""What a desk is made of, wired: who is told of what, and who asks whom."""

import asyncio
from collections.abc import Callable

from attrs import frozen

from cti_hooks import Activity, Agent, Attempt
from lcm_plugin.config import LcmSettings
from lcm_plugin.desk.answering import Answering
from lcm_plugin.desk.bulletin import Bulletin
from lcm_plugin.desk.calling import Calling
from lcm_plugin.desk.details import Details
from lcm_plugin.desk.dialing import Dialing
from lcm_plugin.desk.disposing import Disposing
from lcm_plugin.desk.fetch_stops import FetchStops
from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.intake import Intake
from lcm_plugin.desk.offering import Offering
from lcm_plugin.desk.on_refusal import OnRefusal
from lcm_plugin.desk.outage import Outage
from lcm_plugin.desk.pauses import Pauses
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.desk.refusing import Refusing
from lcm_plugin.desk.reviewing import Reviewing
from lcm_plugin.desk.screen import Screen
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.stopping import Stopping
from lcm_plugin.desk.tasks import Tasks
from lcm_plugin.desk.verdicts import Verdicts
from lcm_plugin.desk.wrap_up import WrapUp
from lcm_plugin.lcm.client import LcmClient
from lcm_plugin.ledger import Ledger
from lcm_plugin.supply import Question, Supply


@frozen(kw_only=True, eq=False)
class Shared:
    """What all desks share.

    Attributes:
        closed: set when the host stops.
        show: announces an offer.
        tell: announces that something in an attempt has changed.
        tell_activity: announces that an agent does something else.
    """

    settings: LcmSettings
    site: Site
    client: LcmClient
    ledger: Ledger
    verdicts: Verdicts
    disposing: Disposing
    stops: FetchStops
    supply: Supply
    bulletin: Bulletin
    outage: Outage
    details: Details
    on_refusal: OnRefusal
    closed: asyncio.Event
    show: Callable[[Attempt], None]
    tell: Callable[[Attempt], None]
    tell_activity: Callable[[Agent, Activity], None]


@frozen(kw_only=True, eq=False)
class Parts:
    """One desk's own."""

    readiness: Readiness
    screen: Screen
    hand: Hand
    intake: Intake
    pauses: Pauses
    reviewing: Reviewing
    stopping: Stopping
    refusing: Refusing
    calling: Calling
    offering: Offering
    answering: Answering
    wrap_up: WrapUp


def parts(  # noqa: PLR0913  (whom the parts tell)
    shared: Shared,
    agent: Agent,
    tasks: Tasks,
    *,
    ask: Callable[[Question], None],
    retimed: Callable[[str], None],
    preview_over: Callable[[str], None],
    offer_over: Callable[[str], None],
    wrap_up_over: Callable[[str], None],
) -> Parts:
    """The parts of an agent's desk.

    Arguments:
        shared: what it shares with other desks.
        agent: whose it is.
        tasks: what it has under way.
        ask: is told a question that is granted.
        retimed: is told the attempt whose times on the screen have changed.
        preview_over: is told the attempt whose preview is over.
        offer_over: is told the attempt whose offer, or whose contact's reservation, is over.
        wrap_up_over: is told the attempt that its agent has not disposed of in time.
    """
    settings, site, ledger, disposing = shared.settings, shared.site, shared.ledger, shared.disposing
    readiness, hand = Readiness(settings=settings, closed=shared.closed), Hand(agent=agent, ledger=ledger)
    screen = Screen(
        readiness=readiness,
        now=ledger.now,
        on_timeout=settings.preview.on_timeout,
        retimed=retimed,
    )
    intake = Intake(
        hand=hand,
        settings=settings,
        site=site,
        client=shared.client,
        stops=shared.stops,
        details=shared.details,
        supply=shared.supply,
        place=shared.supply.place(agent.id, ask),
    )
    pauses = Pauses(settings, shared.client.random)
    reviewing = Reviewing(site=site, ledger=ledger, rejected=intake.rejected)
    stopping = Stopping(readiness=readiness, hand=hand, site=site, tasks=tasks)
    refusing = Refusing(
        hand=hand,
        pauses=pauses,
        on_refusal=shared.on_refusal,
        stopping=stopping,
        offer_seconds=settings.offer_seconds,
    )
    calling = Calling(
        readiness=readiness,
        reviewing=reviewing,
        dialing=Dialing(hand=hand, settings=settings, site=site),
        refusing=refusing,
        stopping=stopping,
        pauses=pauses,
        tasks=tasks,
        wants=readiness.wants_one,
    )
    offering = Offering(
        settings=settings,
        hand=hand,
        screen=screen,
        calling=calling,
        refusing=refusing,
        reviewing=reviewing,
        stopping=stopping,
        wants=readiness.wants_one,
        show=shared.show,
        preview_over=preview_over,
        offer_over=offer_over,
    )
    return Parts(
        readiness=readiness,
        screen=screen,
        hand=hand,
        intake=intake,
        pauses=pauses,
        reviewing=reviewing,
        stopping=stopping,
        refusing=refusing,
        calling=calling,
        offering=offering,
        wrap_up=WrapUp(limit=settings.wrap_up, hand=hand, site=site, over=wrap_up_over),
        answering=Answering(
            hand=hand, screen=screen, calling=calling, disposing=disposing, rejected=intake.rejected
        ),
    )
