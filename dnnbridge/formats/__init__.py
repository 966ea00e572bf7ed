"""Files and objects of frameworks, read as specs."""
