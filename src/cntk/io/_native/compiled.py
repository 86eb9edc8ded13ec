"""All functions that numba compiles, in one module.

Importing it compiles them, which takes seconds, or loads them from numba's cache, which takes a
fraction of one. `loader` therefore imports it in the background.
"""

from cntk.io._native.rows import (
    copy_rows as copy_rows,
    exchange as exchange,
    exchange_within as exchange_within,
    scale_linearly as scale_linearly,
    select_entries as select_entries,
)
from cntk.io._native.text import (
    count_lines as count_lines,
    find_sequences as find_sequences,
    read_block as read_block,
)
