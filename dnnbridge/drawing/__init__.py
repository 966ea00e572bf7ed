"""Drawings: the SVG class, and the placement of boxes and lines."""
