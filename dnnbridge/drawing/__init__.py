"""Drawings: the class of SVG drawings, and the placement of boxes and lines."""
