"""Memory of recorded code: no more than it needs to run, and nothing once it is dropped."""

from __future__ import annotations

import linecache

import torch.fx.graph_module
from torch.fx import GraphModule


def drop_source(module: GraphModule) -> None:
    """Drop the source of a module's code, which torch keeps for tracebacks until the process ends.

    Each recording would leave some ten kilobytes, and each model that is trained and dropped.
    """
    name = module.forward.__code__.co_filename
    linecache.cache.pop(name, None)
    loader = getattr(torch.fx.graph_module, "_loader", None)
    getattr(loader, "eval_cache", {}).pop(name, None)


def keep_code_alone(module: GraphModule) -> None:
    """Drop the source of a module's code, and the examples of values that it was recorded with."""
    drop_source(module)
    for node in module.graph.nodes:
        node.meta.clear()
