"""Two models of one network in the same form: names, structure and layout of the first."""
