"""Images: lists, decoding, transforms."""
