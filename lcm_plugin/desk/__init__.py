"""One agent's flow: ready, contact, call, and the next."""
