"""Interface of the readers of networks."""

from __future__ import annotations

from abc import ABC, abstractmethod

from cntk.contrib.crosstalkcaffe.unimodel.cntkmodel import CntkModelDescription
from cntk.contrib.crosstalkcaffe.utils.globalconf import GlobalConf

__all__ = ["Adapter"]


class Adapter(ABC):
    """Reader of networks of one toolkit."""

    @abstractmethod
    def load_model(self, global_conf: GlobalConf) -> CntkModelDescription:
        """Return the network that a configuration names, with its parameters."""
