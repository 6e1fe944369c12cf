"""Processes: what runs, what is ours, and how all of it is ended."""
