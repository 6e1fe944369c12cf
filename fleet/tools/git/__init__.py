"""Everything that fleet asks of git; no module outside this package starts it."""
