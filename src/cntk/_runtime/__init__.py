"""What kernels may use: the run's context, jagged layouts, sparse rows, random streams, feeding."""
