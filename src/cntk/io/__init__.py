"""Readers: files of samples and sequences as minibatches."""

from cntk._graph.late_names import hand_on
from cntk.io import transforms as transforms
from cntk.io._arrays import ArrayDeserializer as ArrayDeserializer
from cntk.io._bucketed import BucketedMinibatchSource as BucketedMinibatchSource
from cntk.io._cbf import CBFDeserializer as CBFDeserializer
from cntk.io._convert import binary_to_text as binary_to_text
from cntk.io._convert import header_streams as header_streams
from cntk.io._convert import is_binary as is_binary
from cntk.io._convert import text_to_binary as text_to_binary
from cntk.io._ctf import CTFDeserializer as CTFDeserializer
from cntk.io._ctf_writer import _is_tensor as _is_tensor
from cntk.io._ctf_writer import sequence_to_cntk_text_format as sequence_to_cntk_text_format
from cntk.io._htk_features import HTKFeatureDeserializer as HTKFeatureDeserializer
from cntk.io._htk_labels import HTKMLFBinaryDeserializer as HTKMLFBinaryDeserializer
from cntk.io._htk_labels import HTKMLFDeserializer as HTKMLFDeserializer
from cntk.io._images import Base64ImageDeserializer as Base64ImageDeserializer
from cntk.io._images import ImageDeserializer as ImageDeserializer
from cntk.io._lattice import LatticeDeserializer as LatticeDeserializer
from cntk.io._minibatch import MinibatchData as MinibatchData
from cntk.io._rows import ArrowDeserializer as ArrowDeserializer
from cntk.io._rows import RowDeserializer as RowDeserializer
from cntk.io._source import DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS as DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS
from cntk.io._source import FULL_DATA_SWEEP as FULL_DATA_SWEEP
from cntk.io._source import INFINITELY_REPEAT as INFINITELY_REPEAT
from cntk.io._source import MinibatchSource as MinibatchSource
from cntk.io._streams import StreamConfiguration as StreamConfiguration
from cntk.io._streams import StreamDef as StreamDef
from cntk.io._streams import StreamDefs as StreamDefs
from cntk.io._streams import StreamInformation as StreamInformation
from cntk.io._user_deserializer import UserDeserializer as UserDeserializer
from cntk.io._user_source import MinibatchSourceFromData as MinibatchSourceFromData
from cntk.io._user_source import UserMinibatchSource as UserMinibatchSource

hand_on(globals())
