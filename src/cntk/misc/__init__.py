"""Models rewritten: some of their functions replaced by others."""

from cntk.misc.converter import convert as convert
from cntk.misc.optimized_rnnstack_converter import convert_optimized_rnnstack as convert_optimized_rnnstack
