"""YAMNet as a teacher: features and class scores of 0.975 s windows, from its TensorFlow Lite file."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

WINDOW_SAMPLES = 15_600  # at 16 kHz


class YamnetTeacher:
    """Runs `yamnet.tflite` (needs the package ai-edge-litert); only ever a teacher, never shipped.

    Args:
        folder: holds yamnet.tflite and yamnet_class_map.csv.
        num_threads: of the interpreter.
    """

    def __init__(self, folder: Path, num_threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(folder / "yamnet.tflite"), num_threads=num_threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._scores, _, self._features = (out["index"] for out in self._interpreter.get_output_details())

    def __call__(self, window: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """float32 [15600] in [-1, 1] → features [1024] and scores [521] in [0, 1]."""
        self._interpreter.set_tensor(self._input, window[None])
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._features)[0], self._interpreter.get_tensor(self._scores)[0]


def class_names(folder: Path) -> list[str]:
    """The 521 AudioSet class names in the order of the scores."""
    with (folder / "yamnet_class_map.csv").open(newline="", encoding="utf-8") as stream:
        return [row["display_name"] for row in csv.DictReader(stream)]
