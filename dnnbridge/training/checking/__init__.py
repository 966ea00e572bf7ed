"""Whether what the user gives to a run fits its experiment."""
