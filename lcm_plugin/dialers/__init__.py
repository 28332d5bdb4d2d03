"""Dialer backends. They know only `cti_hooks`."""
