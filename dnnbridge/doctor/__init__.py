"""The doctor: what differs between two trainings that look the same, and why."""
