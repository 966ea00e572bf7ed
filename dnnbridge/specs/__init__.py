"""What a spec is: its fields, their checks, patterns of names, JSON."""
