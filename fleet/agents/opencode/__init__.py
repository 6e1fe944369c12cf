"""opencode, in the terminal: a plugin of fleet's in it tells what it does and takes answers."""
