"""One file per interaction; each has ``register(app, services)`` and forwards to plain functions."""
