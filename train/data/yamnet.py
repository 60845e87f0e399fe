"""YAMNet as a teacher: its features, class scores and inner maps of 0.96 s windows, from its TensorFlow Lite file.

The network is read out of the file and run by torch, many windows at a time; only ever a teacher, never shipped.
MobileNet-v1 (Howard et al. 2017, arXiv 1704.04861) on AudioSet; github.com/tensorflow/models research/audioset/yamnet.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW_SAMPLES = 15_600  # at 16 kHz
MIDDLE_LAYER = 22  # of the 27 convolutions: the last at 6 x 4 positions


@dataclass(frozen=True)
class Answers:
    """What the teacher says of B windows.

    Attributes:
        middle: float32 [B, 512, 6, 4], its map before the last halving.
        late: float32 [B, 1024, 3, 2], its last map, whose mean over the positions are the features.
        scores: float32 [B, 521], class probabilities, each on its own.
    """

    middle: Tensor
    late: Tensor
    scores: Tensor

    @property
    def features(self) -> Tensor:
        """float32 [B, 1024]."""
        return self.late.mean(dim=(2, 3))


class YamnetTeacher:
    """Runs what `yamnet.tflite` holds (reading it needs the package ai-edge-litert).

    Args:
        folder: holds yamnet.tflite and yamnet_class_map.csv.
    """

    def __init__(self, folder: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        file = Interpreter(str(folder / "yamnet.tflite"))
        file.allocate_tensors()
        self._convolutions, self._dense = _layers(file)

    @torch.inference_mode()
    def __call__(self, log_mel: Tensor) -> Answers:
        """float32 [B, 96, 64], log-mel as `LogMelWindows` makes it → what the teacher says."""
        x, middle = log_mel[:, None].contiguous(memory_format=torch.channels_last), log_mel
        for index, (weight, bias, stride) in enumerate(self._convolutions):
            x = F.conv2d(_same(x, weight.shape[-1], stride), weight, bias, stride, groups=x.shape[1] // weight.shape[1])
            x = x.relu_()
            middle = x if index == MIDDLE_LAYER else middle
        weight, bias = self._dense
        return Answers(middle, x, torch.sigmoid(F.linear(x.mean(dim=(2, 3)), weight, bias)))


def _layers(file: Any) -> tuple[list[tuple[Tensor, Tensor, int]], tuple[Tensor, Tensor]]:
    """Weight [out, in / groups, H, W], bias and stride of each convolution in order; then the classifier's."""
    details = {entry["index"]: entry for entry in file.get_tensor_details()}

    def plain(index: int) -> Tensor:
        values, quantised = file.get_tensor(index).astype(np.float32), details[index]["quantization_parameters"]
        if len(quantised["scales"]):
            shape = [1] * values.ndim
            shape[quantised["quantized_dimension"]] = -1
            values = (values - quantised["zero_points"].reshape(shape)) * quantised["scales"].reshape(shape)
        return torch.from_numpy(values.astype(np.float32))

    operations: Sequence[dict[str, Any]] = file._get_ops_details()  # no public way to the graph's order
    stored = {op["outputs"][0]: op["inputs"][0] for op in operations if op["op_name"] == "DEQUANTIZE"}
    convolutions, dense = [], None
    for op in operations:
        if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            before, kernel, bias = op["inputs"]
            weight = plain(stored.get(kernel, kernel))
            axes = (0, 3, 1, 2) if op["op_name"] == "CONV_2D" else (3, 0, 1, 2)
            stride = details[before]["shape"][1] // details[op["outputs"][0]]["shape"][1]
            convolutions.append((weight.permute(axes).contiguous(), plain(bias), int(stride)))
        elif op["op_name"] == "FULLY_CONNECTED" and len(op["inputs"]) == 3 and op["inputs"][2] >= 0:
            dense = plain(op["inputs"][1]), plain(op["inputs"][2])  # the last one with a bias is the classifier
    assert dense is not None
    return convolutions, dense


def _same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Zeros around, as TensorFlow's "SAME" does for sides that the stride divides."""
    total = kernel - stride
    return F.pad(x, (total // 2, total - total // 2) * 2) if total > 0 else x


def class_names(folder: Path) -> list[str]:
    """The 521 AudioSet class names in the order of the scores."""
    with (folder / "yamnet_class_map.csv").open(newline="", encoding="utf-8") as stream:
        return [row["display_name"] for row in csv.DictReader(stream)]
