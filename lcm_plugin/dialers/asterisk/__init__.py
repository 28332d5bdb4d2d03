"""Calls placed by Asterisk, over ARI: the agent's leg first, then the customer's, then a bridge for both.

settings     the plugin's table
endpoints    templates that numbers and agents are filled into
ari          one Asterisk's REST interface
event_socket its event socket, supervised
link         both of them, from the host's start to its stop
channels     what is placed, joined, hung up and heard there, as an `Exchange`
dial_status  what a dial's status says of its cause
health       whether the customer's endpoint makes sense
dialer       the hooks, on `lcm_plugin/dialers/exchange/`, which leads each call

What cannot be helped: an order that Asterisk has read and not carried out yet cannot be taken back. One that
freezes exactly then, within the customer's originate, may ring the customer once when it thaws; that leg is
hung up as soon as it is seen.
"""

from lcm_plugin.dialers.asterisk.dialer import AsteriskDialer

__all__ = ["AsteriskDialer"]
