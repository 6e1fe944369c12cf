"""Forges, spoken to by their own programs: what fleet asks of one, and who does it where."""
