"""Measures one change in a process of its own: what it reads is hostile, and may be huge."""
