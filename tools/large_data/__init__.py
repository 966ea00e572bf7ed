"""Measure trainings on data larger than memory should hold, and steps with large tables."""
