"""Where sequences lie: chunks, catalogs, arrays, tables."""
