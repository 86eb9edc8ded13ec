"""Sequence training on lattices of speech recognition: files load, and nothing is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Op, PrimitiveOp, Reach, primitive
from cntk._graph.types import TensorType
from cntk.errors import GraphError
from cntk.typing import Operand

__all__ = ["lattice_sequence_with_softmax"]

_REASON = (
    "sequence training on lattices is not computed here: it needs a recogniser's word lattices, "
    "phone models and transition probabilities in formats that no other program writes any more. "
    "Train with cntk.forward_backward (connectionist temporal classification), or with "
    "cntk.cross_entropy_with_softmax on aligned frames"
)


@primitive(PrimitiveOp.LatticeSequenceWithSoftmax)
@dataclass(frozen=True)
class LatticeSequenceWithSoftmax(Op):
    """A criterion of sequences against lattices. Graphs with it load, and every other node of them
    can be evaluated.

    Attributes are the arguments of `lattice_sequence_with_softmax`.
    """

    operand_counts = (4,)

    sym_list_path: str
    phone_path: str
    state_list_path: str
    trans_prob_path: str
    lattice_config_path: str = "LatticeNode.config"
    h_smoothing_weight: float = 0.95
    frame_drop_thresh: float = 1e-10
    do_reference_align: bool = False
    seq_gammar_uses_mbr: bool = False
    seq_gammar_amf: float = 14.0
    seq_gammar_lmf: float = 14.0
    seq_gammar_bmmi_factor: float = 0.0
    seq_gammar_word_pen: float = 0.0

    disk_names = {
        "sym_list_path": "SymListPath",
        "phone_path": "PhonePath",
        "state_list_path": "StateListPath",
        "trans_prob_path": "TransProbPath",
        "lattice_config_path": "LatticeConfigPath",
        "h_smoothing_weight": "HSmoothingWeight",
        "frame_drop_thresh": "FrameDropThresh",
        "do_reference_align": "DoReferenceAlign",
        "seq_gammar_uses_mbr": "SeqGammarUsesMBR",
        "seq_gammar_amf": "SeqGammarAMF",
        "seq_gammar_lmf": "SeqGammarLMF",
        "seq_gammar_bmmi_factor": "SeqGammarBMMIFactor",
        "seq_gammar_word_pen": "SeqGammarWordPen",
    }
    disk_kinds = {
        "h_smoothing_weight": DiskKind.Single,
        "frame_drop_thresh": DiskKind.Single,
        "seq_gammar_amf": DiskKind.Single,
        "seq_gammar_lmf": DiskKind.Single,
        "seq_gammar_bmmi_factor": DiskKind.Single,
        "seq_gammar_word_pen": DiskKind.Single,
    }
    reach = Reach.LATER

    def infer(self, *operands: TensorType) -> TensorType:
        return TensorType((), (), operands[0].dtype)

    def lower(self, *operands: TensorType) -> NoReturn:
        raise GraphError(_REASON)


def lattice_sequence_with_softmax(
    label: Any,
    prediction: Operand,
    loglikelihood: Any,
    lattice: Any,
    symListPath: str,
    phonePath: str,
    stateListPath: str,
    transProbPath: str,
    latticeConfigPath: str = "LatticeNode.config",
    hSmoothingWeight: float = 0.95,
    frameDropThresh: float = 1e-10,
    doReferenceAlign: bool = False,
    seqGammarUsesMBR: bool = False,
    seqGammarAMF: float = 14.0,
    seqGammarLMF: float = 14.0,
    seqGammarBMMIFactor: float = 0.0,
    seqGammarWordPen: float = 0.0,
    name: str = "",
) -> Composite:
    """Raise NotImplementedError: discriminative training on a recogniser's lattices (Kingsbury,
    2009) is not available.

    The function is here so that programs get a reason, and models whose files hold the criterion
    load: all of such a graph but the criterion itself can be evaluated, and saved again.

    Args:
        label: the aligned state of each frame, one-hot ``[states]``.
        prediction: scores ``[states]`` before softmax.
        loglikelihood: the same, scaled by the states' frequencies.
        lattice: a lattice for each sequence, from a reader of lattice archives.
        symListPath: file with the list of symbols.
        phonePath: file with the phone models.
        stateListPath: file with the list of states.
        transProbPath: file with the transition probabilities.
        latticeConfigPath: file with the configuration of the lattices.
        hSmoothingWeight: weight of the sequence criterion against the frames' cross entropy.
        frameDropThresh: frames whose reference is less probable are left out.
        doReferenceAlign: whether the reference is aligned anew.
        seqGammarUsesMBR: whether the criterion is the minimum Bayes risk.
        seqGammarAMF: factor of the acoustic model's scores.
        seqGammarLMF: factor of the language model's scores.
        seqGammarBMMIFactor: factor of the boost; 0 for none.
        seqGammarWordPen: penalty of each word.
        name: its name in the graph.

    Raises:
        NotImplementedError: always.

    Example:
        >>> lattice_sequence_with_softmax(
        ...     [0.0], [0.0], [0.0], [0.0], "symbols", "phones", "states", "transitions"
        ... )
        Traceback (most recent call last):
        ...
        NotImplementedError: lattice_sequence_with_softmax: sequence training on lattices is not
        computed here: ...
    """
    raise NotImplementedError(f"lattice_sequence_with_softmax: {_REASON}")
