"""Contacts from an LCM to the site's dialer, as a pluggy plugin for any CTI host."""
