"""Deserializers from what a case says of them. Runs with the original too, on Python 3.6."""

import cntk.io as readers

KINDS = {
    "htk": readers.HTKFeatureDeserializer,
    "mlf": readers.HTKMLFDeserializer,
    "binary": readers.HTKMLFBinaryDeserializer,
    "ctf": readers.CTFDeserializer,
    "cbf": readers.CBFDeserializer,
}


def made(kind, arguments, streams):
    """A deserializer: its kind, its arguments but the streams, which come second, and what each
    stream is made of.
    """
    defs = readers.StreamDefs(
        **{name: readers.StreamDef(**given) for name, given in streams.items()}
    )
    return KINDS[kind](*(arguments[:1] + (defs,) + arguments[1:]))  # noqa: RUF005
