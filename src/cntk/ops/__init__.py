"""Operations: every function that builds a node of a graph."""

from cntk._graph.names.late_names import hand_on
from cntk._ops.loss.ctc import *
from cntk._ops.math.activation import *
from cntk._ops.math.arithmetic import *
from cntk._ops.math.assign import *
from cntk._ops.math.comparison import *
from cntk._ops.math.einsum import *
from cntk._ops.math.logic import *
from cntk._ops.math.reduction import *
from cntk._ops.math.rounding import *
from cntk._ops.math.smooth_activation import *
from cntk._ops.math.softmax import *
from cntk._ops.math.times import *
from cntk._ops.math.trigonometry import *
from cntk._ops.math.unary import *
from cntk._ops.nn.convolution import *
from cntk._ops.nn.crop import *
from cntk._ops.nn.dropout import *
from cntk._ops.nn.layer_normalization import *
from cntk._ops.nn.normalization import *
from cntk._ops.nn.pooling import *
from cntk._ops.nn.roi_pooling import *
from cntk._ops.nn.standardize import *
from cntk._ops.random.sampling import *
from cntk._ops.sequence.delay import *
from cntk._ops.sequence.rnn_stack import *
from cntk._ops.shape.filled import *
from cntk._ops.shape.padding import *
from cntk._ops.shape.reconcile import reconcile_dynamic_axes as reconcile_dynamic_axes
from cntk._ops.shape.reshape import *
from cntk._ops.shape.select import *
from cntk._ops.shape.slicing import *
from cntk._ops.shape.transpose import *
from cntk._ops.shape.unpack import *
from cntk._ops.support.structure import *
from cntk._ops.user.custom_proxy import *
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk.core import INFINITELY_REPEAT as INFINITELY_REPEAT
from cntk.ops import functions, sequence
from cntk.ops.functions import (
    BlockFunction as BlockFunction,
    CloneMethod as CloneMethod,
    Function as Function,
    ModelFormat as ModelFormat,
    UserFunction as UserFunction,
    load_model as load_model,
    native_user_function as native_user_function,
    register_native_user_function as register_native_user_function,
)

hand_on(globals())
