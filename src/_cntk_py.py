"""`cntk.cntk_py` under the name of the original's extension module, which old programs import by
itself.
"""

from __future__ import annotations

from cntk.cntk_py import *
from cntk.cntk_py import __all__ as __all__
