"""Frontends: people and programs come in here. They call the engine and follow its events."""
