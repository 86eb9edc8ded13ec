"""A network as a list of layers, and the model that is made of it."""

from __future__ import annotations
