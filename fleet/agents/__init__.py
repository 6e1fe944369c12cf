"""What each kind of agent is: descriptions that start, kill and type nothing themselves."""
