"""Pictures: what holds one, and where boxes and lines stand in it."""
