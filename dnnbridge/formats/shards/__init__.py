"""Arrays that lie in several files, of which only the rows that are asked for are read."""
