"""Words and queries, the same for every store: how texts become tokens, and what a query asks of them."""
