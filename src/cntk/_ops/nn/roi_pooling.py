"""Pooling of regions of interest: each region of an image, whatever its size, becomes a grid of a
fixed size.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cntk._arguments import as_number
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import Shape, TensorType
from cntk._ops.nn.pooling import PoolingType
from cntk._ops.nn.windows import as_dims
from cntk._ops.support.broadcasting import join_axes
from cntk._ops.support.operands import apply
from cntk._runtime.transfer import to_device
from cntk._wording import shape_text
from cntk.errors import GraphError
from cntk.typing import Operand

__all__ = ["roipooling"]


@primitive(PrimitiveOp.ROIPooling)
@dataclass(frozen=True)
class ROIPooling(Op):
    """The largest element in each cell of a grid over each region.

    Attributes:
        pooling_type: 0, the largest; there is no other.
        roi_output_shape: the grid's rows and columns.
        spatial_scale: what regions' coordinates are multiplied with to be positions in the operand.
    """

    operand_counts = (2,)
    not_recordable = "which elements a cell has depends on the regions' values"

    pooling_type: int = 0
    roi_output_shape: Shape = (1, 1)
    spatial_scale: float = 1.0

    def infer(self, *operands: TensorType) -> TensorType:
        x, rois = operands
        if len(self.roi_output_shape) != 2 or min(self.roi_output_shape) < 1:
            raise GraphError(
                f"roi_output_shape must be [rows x columns], got "
                f"{shape_text(self.roi_output_shape)}"
            )
        if x.rank != 3:
            raise GraphError(
                f"the operand must be [channels x rows x columns], got {shape_text(x.shape)}"
            )
        if rois.rank != 2 or rois.shape[1] not in (4, -1):
            raise GraphError(
                f"regions must be [number x 4]: left, top, right, bottom; got "
                f"{shape_text(rois.shape)}"
            )
        return TensorType(
            (rois.shape[0], x.shape[0], *self.roi_output_shape),
            join_axes(operands, broadcast=False),
            x.dtype,
        )

    def lower(self, *operands: TensorType) -> Kernel:
        x, rois = operands
        grid, scale = list(self.roi_output_shape), self.spatial_scale
        row = (rois.shape[0], x.shape[0], *grid)

        def compute(images: Tensor, regions: Tensor) -> Tensor:
            flat = images.reshape(-1, *x.shape)
            lists = (regions.detach() * scale).reshape(-1, *rois.shape).tolist()
            pooled = [
                _region(flat[n if len(flat) > 1 else 0], r, grid)
                for n, boxes in enumerate(lists)
                for r in boxes
            ]
            return torch.stack(pooled).reshape(-1, *row) if pooled else flat.new_zeros(0, *row)

        return (
            compute
            if x.lead or rois.lead
            else lambda images, regions: compute(images, regions).squeeze(0)
        )


def _region(image: Tensor, region: list[float], grid: list[int]) -> Tensor:
    """Pool one region to a grid ``[channels, rows, columns]``; cells that begin outside the image
    are 0, as in the original.
    """
    left, top, right, bottom = (floor(v + 0.5) for v in region)
    rows, columns = image.shape[1:]
    width, height = max(right - left + 1, 1), max(bottom - top + 1, 1)
    part = image[
        :,
        min(max(top, 0), rows) : max(top + height, 0),
        min(max(left, 0), columns) : max(left + width, 0),
    ]
    if part.shape[1:] == (height, width):
        return F.adaptive_max_pool2d(part, grid)
    ahead, above = min(max(-left, 0), width), min(max(-top, 0), height)
    edges = (ahead, width - ahead - part.shape[2], above, height - above - part.shape[1])
    pooled = F.adaptive_max_pool2d(F.pad(part, edges, value=-torch.inf), grid)
    inside = [
        [0 <= begin + k * size // cells < length for k in range(cells)]
        for begin, size, cells, length in (
            (top, height, grid[0], rows),
            (left, width, grid[1], columns),
        )
    ]
    in_image = torch.tensor(inside[0]).unsqueeze(1) & torch.tensor(inside[1])
    return torch.where(to_device(in_image, pooled.device), pooled, torch.zeros_like(pooled))


def roipooling(
    operand: Operand,
    rois: Any,
    pooling_type: int,
    roi_output_shape: Any,
    spatial_scale: float,
    name: str = "",
) -> Composite:
    """Pool regions of an image into grids of a fixed size (Girshick, 2015).

    Args:
        operand: ``[channels, rows, columns]``.
        rois: regions ``[number, 4]``: left, top, right and bottom, the last two inclusive.
        pooling_type: `MAX_POOLING`.
        roi_output_shape: the grid's rows and columns.
        spatial_scale: what the regions' coordinates are multiplied with to be positions in the
            operand.
        name: its name in the graph.

    Returns:
        A function with output ``[number, channels, *roi_output_shape]``. A region may reach beyond
        the image; a cell of its grid that begins outside is 0.

    Raises:
        ValueError: for another pooling type.
        GraphError: if the operands' shapes are others.

    Example:
        >>> import cntk as C
        >>> x, regions = C.input_variable((1, 3, 3)), C.input_variable((1, 4))
        >>> pooled = roipooling(x, regions, C.MAX_POOLING, (1, 2), 1)
        >>> pooled.eval(
        ...     {x: [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]], regions: [[[1, 0, 2, 1]]]}
        ... ).ravel()
        array([5., 6.], dtype=float32)
    """
    if pooling_type != PoolingType.Max:
        raise ValueError(
            f"roipooling: only max pooling is supported (cntk.MAX_POOLING), got pooling type "
            f"{pooling_type}"
        )
    scale = as_number(spatial_scale, "roipooling: spatial_scale")
    op = ROIPooling(
        int(pooling_type), as_dims(roi_output_shape, "roipooling: roi_output_shape", 1), scale
    )
    return apply(op, (operand, rois), name)
