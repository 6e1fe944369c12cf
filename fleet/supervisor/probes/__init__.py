"""Noticing what happens in the world; each probe turns what it sees into facts of the ledger."""
