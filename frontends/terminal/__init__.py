"""A small chat in the terminal, over the engine itself or over the owner's socket."""
