"""One module per role: the only place where parts are put together."""
