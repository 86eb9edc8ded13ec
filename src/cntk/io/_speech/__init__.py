"""Deserializers of speech in HTK's formats: feature archives, script files, and labels."""
