"""Tools around the core: network compression, models from other toolkits, reinforcement learning.

None of them is imported by `import cntk`.
"""

from cntk._graph.names.late_names import hand_on
from cntk.contrib import crosstalk as crosstalk, crosstalkcaffe as crosstalkcaffe

hand_on(globals())
