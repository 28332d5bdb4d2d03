"""Policies: plugins that say why a contact must not be called now. They know only `cti_hooks`."""
