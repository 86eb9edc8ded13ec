"""Corpora, their chunks and catalogs, and deserializers of arrays, tables and user data."""
