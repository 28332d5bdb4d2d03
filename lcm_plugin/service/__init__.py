"""The embedded host: an HTTP and WebSocket API around `cti_hooks.Host`."""
