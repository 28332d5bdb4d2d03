"""All that knows the LCM's wire: messages, decoding, retries, transports."""
