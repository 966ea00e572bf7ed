"""Cases: data that every backend is held to."""
