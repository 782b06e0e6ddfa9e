"""The `chatcore` command: the only place where stores, responders and frontends are put together."""
