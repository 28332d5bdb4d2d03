"""Calls placed by Asterisk, over ARI: the agent's leg first, then the customer's, then a bridge for both.

settings    the plugin's table
endpoints   templates that numbers and agents are filled into
ari         one Asterisk's REST interface
events      its event socket, supervised
call        one call, from the first leg to its last event
leg         one of its two channels
dial_status what a dial's status says of its cause
engine      one Asterisk: its calls, and what becomes of them when the event socket was away
plugin      the hooks

What cannot be helped: an order that Asterisk has read and not carried out yet cannot be taken back. One that
freezes exactly then, within the customer's originate, may ring the customer once when it thaws; that leg is
hung up as soon as it is seen.
"""

from lcm_plugin.dialers.asterisk.plugin import AsteriskDialer

__all__ = ["AsteriskDialer"]
