"""What is told of a call: CallEvents, and the call's state as they say it."""

from attrs import define, evolve, field

from cti_hooks import Call, CallEvent, CallEventKind, Host, connection_after
from lcm_plugin.dialers.answers import short_text
from lcm_plugin.dialers.exchange.legs import Heard, News, Party


@define(kw_only=True, eq=False)
class Reports:
    """Tells the host of one call."""

    host: Host
    call: Call
    _told: set[CallEventKind] = field(factory=set, init=False)

    async def tell_once(self, kind: CallEventKind, party: Party = Party.CUSTOMER) -> bool:
        """Tell it, unless it was told before; whether it was told now."""
        if kind in self._told:
            return False
        await self.tell(kind, Heard(party=party, news=News.SEEN))
        return True

    async def tell(self, kind: CallEventKind, heard: Heard) -> None:
        """Tell it, with what was heard of its leg."""
        self._told.add(kind)
        if heard.party is Party.CUSTOMER:
            state = connection_after(kind, self.call.state)
            self.call = evolve(self.call, state=state, q850=heard.q850)
        event = CallEvent(
            kind=kind,
            call_id=self.call.id,
            attempt_id=self.call.attempt_id,
            at=self.host.clock.now(),
            party=heard.party.value,
            q850=heard.q850,
            sip_status=heard.sip_status,
            text=short_text(heard.text),
        )
        await self.host.hook.on_call_event(event=event)
