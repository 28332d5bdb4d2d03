"""The `lcm_sandbox` fixture."""
