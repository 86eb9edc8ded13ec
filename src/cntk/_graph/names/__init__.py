"""Names: of nodes, of modules' own and handed-on attributes, and misspelt ones."""
