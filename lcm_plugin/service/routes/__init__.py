"""The handlers of the API, a file for each part of it; `lcm_plugin.service.api` has the table of routes."""
