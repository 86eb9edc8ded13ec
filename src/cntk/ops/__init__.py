"""Operations: every function that builds a node of a graph."""

from cntk._engine.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._graph.late_names import hand_on
from cntk._ops.activation import *
from cntk._ops.assign import *
from cntk._ops.comparison import *
from cntk._ops.convolution import *
from cntk._ops.crop import *
from cntk._ops.ctc import *
from cntk._ops.custom_proxy import *
from cntk._ops.delay import *
from cntk._ops.dropout import *
from cntk._ops.einsum import *
from cntk._ops.elementwise import *
from cntk._ops.filled import *
from cntk._ops.layer_normalization import *
from cntk._ops.logic import *
from cntk._ops.normalization import *
from cntk._ops.padding import *
from cntk._ops.pooling import *
from cntk._ops.random_sample import *
from cntk._ops.reconcile import reconcile_dynamic_axes
from cntk._ops.reduction import *
from cntk._ops.rnn_stack import *
from cntk._ops.roi_pooling import *
from cntk._ops.rounding import *
from cntk._ops.select import *
from cntk._ops.shape import *
from cntk._ops.slicing import *
from cntk._ops.smooth_activation import *
from cntk._ops.softmax import *
from cntk._ops.standardize import *
from cntk._ops.structure import *
from cntk._ops.times import *
from cntk._ops.transpose import *
from cntk._ops.trigonometry import *
from cntk._ops.unary import *
from cntk._ops.unpack import *
from cntk.core import INFINITELY_REPEAT as INFINITELY_REPEAT
from cntk.ops import functions, sequence
from cntk.ops.functions import BlockFunction as BlockFunction
from cntk.ops.functions import CloneMethod as CloneMethod
from cntk.ops.functions import Function as Function
from cntk.ops.functions import ModelFormat as ModelFormat
from cntk.ops.functions import UserFunction as UserFunction
from cntk.ops.functions import load_model as load_model
from cntk.ops.functions import native_user_function as native_user_function
from cntk.ops.functions import register_native_user_function as register_native_user_function

hand_on(globals())
