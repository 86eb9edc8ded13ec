"""Readers: deserializers of files, and minibatch sources that read minibatches from them."""

from cntk._graph.names.late_names import hand_on
from cntk.io import transforms as transforms
from cntk.io._binary.convert import (
    binary_to_text as binary_to_text,
    header_streams as header_streams,
    is_binary as is_binary,
    text_to_binary as text_to_binary,
)
from cntk.io._binary.deserializer import CBFDeserializer as CBFDeserializer
from cntk.io._corpus.arrays import ArrayDeserializer as ArrayDeserializer
from cntk.io._corpus.streams import (
    StreamConfiguration as StreamConfiguration,
    StreamDef as StreamDef,
    StreamDefs as StreamDefs,
    StreamInformation as StreamInformation,
)
from cntk.io._corpus.tables import (
    ArrowDeserializer as ArrowDeserializer,
    RowDeserializer as RowDeserializer,
)
from cntk.io._corpus.user_deserializer import UserDeserializer as UserDeserializer
from cntk.io._images.deserializer import (
    Base64ImageDeserializer as Base64ImageDeserializer,
    ImageDeserializer as ImageDeserializer,
)
from cntk.io._source.bucketed import BucketedMinibatchSource as BucketedMinibatchSource
from cntk.io._source.minibatch import MinibatchData as MinibatchData
from cntk.io._source.minibatch_source import (
    DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS as DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS,
    FULL_DATA_SWEEP as FULL_DATA_SWEEP,
    INFINITELY_REPEAT as INFINITELY_REPEAT,
    MinibatchSource as MinibatchSource,
)
from cntk.io._source.user_source import (
    MinibatchSourceFromData as MinibatchSourceFromData,
    UserMinibatchSource as UserMinibatchSource,
)
from cntk.io._speech.features import HTKFeatureDeserializer as HTKFeatureDeserializer
from cntk.io._speech.labels import (
    HTKMLFBinaryDeserializer as HTKMLFBinaryDeserializer,
    HTKMLFDeserializer as HTKMLFDeserializer,
)
from cntk.io._speech.lattice import LatticeDeserializer as LatticeDeserializer
from cntk.io._text.deserializer import CTFDeserializer as CTFDeserializer
from cntk.io._text.writer import (
    _is_tensor as _is_tensor,
    sequence_to_cntk_text_format as sequence_to_cntk_text_format,
)

hand_on(globals())
