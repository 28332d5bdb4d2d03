"""Calls placed by Asterisk, over ARI: the agent's leg first, then the customer's, then a bridge for both.

settings    the plugin's table
endpoints   templates that numbers and agents are filled into
ari         one Asterisk's REST interface
events      its event socket, supervised
call        one call, from the first leg to its last event
leg         one of its two channels
engine      one Asterisk: its calls, and what becomes of them when the event socket was away
plugin      the hooks
"""

from lcm_plugin.dialers.asterisk.plugin import AsteriskDialer

__all__ = ["AsteriskDialer"]
