"""All that is compiled.

To import this module compiles it, or loads what was compiled before, which takes seconds or a fraction of one: `_compiled`
imports it in the background.
"""

from cntk.io._machine_moves import copy_rows as copy_rows
from cntk.io._machine_moves import exchange as exchange
from cntk.io._machine_moves import exchange_within as exchange_within
from cntk.io._machine_moves import scale_linearly as scale_linearly
from cntk.io._machine_moves import select_entries as select_entries
from cntk.io._machine_text import count_lines as count_lines
from cntk.io._machine_text import find_sequences as find_sequences
from cntk.io._machine_text import read_block as read_block
