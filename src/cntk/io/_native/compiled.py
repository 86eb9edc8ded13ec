"""All that is compiled.

To import this module compiles it, or loads what was compiled before, which takes seconds or a
fraction of one: `_compiled` imports it in the background.
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
