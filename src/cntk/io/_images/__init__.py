"""Deserializers of images: lists of images, decoding, and transforms."""
