"""Our own tmux server: agents live in its panes, and a person's own server is never touched."""
