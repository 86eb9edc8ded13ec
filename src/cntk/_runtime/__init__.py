"""Services for kernels: the run's context, jagged layouts, sparse rows, random streams, input
binding.
"""
