"""The CNTK text format (CTF): its index, parsers and writer, and the encodings of text files."""
