"""Nodes of version 1 for sequences: delays, selections, alignments, stacks of recurrent layers."""

from __future__ import annotations

from cntk._graph.op import PrimitiveOp
from cntk._persist.protobuf.dictionary import Single, Size
from cntk._persist.v1.kinds import (
    DOUBLE,
    ELEMENT,
    FLAG,
    INT32,
    SHAPE,
    SINGLE,
    SIZE,
    SIZES,
    STRING,
    Attributes,
    Field,
    Fields,
    NodeKind,
    Signature,
    Values,
    axes_of,
    complete,
    name_of,
)


def _delay(values: Values) -> Attributes:
    return {"offset": Size(values["offset"])}


def _delay_values(attributes: Attributes, signature: Signature) -> Values:
    # The initial value is an operand.
    return attributes | {"shape": complete(signature.result), "initial": 0.0}


_DELAY: Fields = (Field("offset", INT32), Field("shape", SHAPE), Field("initial", ELEMENT))


def _where(values: Values) -> Attributes:
    return {"newDynamicAxes": axes_of(values["axis"])}


def _where_values(attributes: Attributes, signature: Signature) -> Values:
    return {"axis": name_of(attributes["newDynamicAxes"])}


def _to_sequence(values: Values) -> Attributes:
    return {"sequenceAxis": values["axis"], "newDynamicAxes": axes_of(values["axis"])}


def _unpack(values: Values) -> Attributes:
    return {
        "sequenceUnpackPaddingValue": values["padding"],
        "sequenceUnpackSuppressMaskOutput": values["alone"],
    }


def _unpack_values(attributes: Attributes, signature: Signature) -> Values:
    return {
        "padding": attributes["sequenceUnpackPaddingValue"],
        "alone": attributes["sequenceUnpackSuppressMaskOutput"],
    }


_EDIT_DISTANCE: Fields = (
    Field("SubstitutionPenalty", SINGLE),
    Field("DeletionPenalty", SINGLE),
    Field("InsertionPenalty", SINGLE),
    Field("SquashInputs", FLAG),
    Field("TokensToIgnore", SIZES),
)


def _edit_distance(values: Values) -> Attributes:
    penalties = {
        field.name: Single(values[field.name]) for field in _EDIT_DISTANCE if field.kind is SINGLE
    }
    tokens = [Size(token) for token in values["TokensToIgnore"]]
    return penalties | {"SquashInputs": values["SquashInputs"], "TokensToIgnore": tokens}


def _alignment(values: Values) -> Attributes:
    return {
        "DelayConstraint": values["DelayConstraint"],
        "BlankTokenId": Size(values["BlankTokenId"]),
    }


_RECURRENT_STACK: Fields = (
    Field("bidirectional", SIZE),
    Field("numLayers", SIZE),
    Field("hiddenSize", SIZE),
    Field("recurrentOp", STRING),
    Field("axis", INT32, 14, -1),
)


def _recurrent_stack(values: Values) -> Attributes:
    sizes = {name: Size(values[name]) for name in ("numLayers", "hiddenSize")}
    return sizes | {
        "bidirectional": values["bidirectional"] != 0,
        "recurrentOp": values["recurrentOp"],
    }


def _recurrent_stack_values(attributes: Attributes, signature: Signature) -> Values:
    return attributes | {"axis": -1}


_LATTICE_FILES = ("SymListPath", "PhonePath", "StateListPath", "TransProbPath", "LatticeConfigPath")
_LATTICE_NUMBERS = (
    "FrameDropThresh",
    "HSmoothingWeight",
    "SeqGammarAMF",
    "SeqGammarLMF",
    "SeqGammarWordPen",
    "SeqGammarBMMIFactor",
)
_LATTICE: Fields = (
    *(Field(name, STRING) for name in _LATTICE_FILES),
    *(Field(name, DOUBLE) for name in _LATTICE_NUMBERS),
    Field("SeqGammarUsesMBR", FLAG),
    Field("DoReferenceAlign", FLAG),
)


def _lattice(values: Values) -> Attributes:
    return values | {name: Single(values[name]) for name in _LATTICE_NUMBERS}


_ALIGNMENT: Fields = (Field("DelayConstraint", INT32), Field("BlankTokenId", SIZE))
_UNPACK: Fields = (Field("padding", ELEMENT), Field("alone", FLAG))
_EXCHANGED = (1, 0)

SEQUENCE_KINDS = (
    NodeKind("PastValue", PrimitiveOp.PastValue, _DELAY, _delay, _delay_values),
    NodeKind("FutureValue", PrimitiveOp.FutureValue, _DELAY, _delay, _delay_values),
    NodeKind(
        "Where",
        PrimitiveOp.Where,
        (Field("axis", STRING, 11, "WhereNodeAxis"),),
        _where,
        _where_values,
    ),
    NodeKind(
        "ToSequence", PrimitiveOp.ToSequence, (Field("axis", STRING),), _to_sequence, _where_values
    ),
    NodeKind("UnpackSequence", PrimitiveOp.UnpackSequence, _UNPACK, _unpack, _unpack_values),
    NodeKind("EditDistanceError", PrimitiveOp.EditDistanceError, _EDIT_DISTANCE, _edit_distance),
    NodeKind(
        "LatticeSequenceWithSoftmax", PrimitiveOp.LatticeSequenceWithSoftmax, _LATTICE, _lattice
    ),
    NodeKind("ForwardBackward", PrimitiveOp.ForwardBackward, _ALIGNMENT, _alignment),
    NodeKind(
        "OptimizedRNNStack",
        PrimitiveOp.OptimizedRNNStack,
        _RECURRENT_STACK,
        _recurrent_stack,
        _recurrent_stack_values,
        order=_EXCHANGED,
    ),
)
