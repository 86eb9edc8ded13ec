"""Pictures of graphs: what is to be seen, where it is placed, and files of it."""
