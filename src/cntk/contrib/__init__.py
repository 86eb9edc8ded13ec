"""Tools around the core: smaller models, models from other toolkits, learning by reinforcement.

None of them is imported by `import cntk`.
"""

from cntk._graph.names.late_names import hand_on
from cntk.contrib import crosstalk as crosstalk, crosstalkcaffe as crosstalkcaffe

hand_on(globals())
