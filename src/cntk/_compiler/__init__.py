"""From graph to plan: flattening, passes, loops, recordings. It knows the operations; no operation
knows it.
"""
