"""Whom the tests are about: agents, and the campaign group of the LCM's own sample."""

from cti_hooks import Agent

GROUP = "AD Dev Manual Group"
ALICE, BOB, CAROL, DAVE = (Agent(id=name) for name in ("alice", "bob", "carol", "dave"))
ALICE_AT_1001 = Agent(id="alice", endpoint="PJSIP/1001")
