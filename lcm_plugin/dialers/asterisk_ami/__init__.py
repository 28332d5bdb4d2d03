"""The dialer that places calls by Asterisk, over its manager interface (AMI)."""

from lcm_plugin.dialers.asterisk_ami.dialer import AsteriskAmiDialer

__all__ = ["AsteriskAmiDialer"]
