"""Floor 0: graphs as data. Types, variables, functions, operations' one registry, traversal and
cloning.
"""
