"""The dashboard: every agent, live, and which of them needs you. It holds no truth of its own."""
