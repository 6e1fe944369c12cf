"""The pane's own program: it starts one agent, and needs nothing but Python."""
