"""Writing an equation into a graph: scopes, what a layer declares, what an update makes."""
