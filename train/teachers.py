"""Teachers of a distillation: encoders of the registry, whole models, and networks of a data folder's `teachers`."""

import difflib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from train.data.yamnet import YamnetTeacher
from unimma.catalogue import BUNDLED, presets
from unimma.encoders import registry
from unimma.encoders.base import Encoder, EncoderInfo, Prepared
from unimma.encoders.efficientnet_lite import prepare_pixels
from unimma.encoders.spectrogram import resample
from unimma.encoders.yamnet_student import NUM_CLASSES, NUM_FEATURES, RATE_HZ, LogMelWindows
from unimma.errors import ConfigError, ModelError
from unimma.loading import load_model
from unimma.model import Tower
from unimma.types import Audio, Image, Modality

YAMNET = "yamnet.tflite"
ONNX_SIDE_PX = 224


def find_teacher(name: str, modality: Modality, folder: Path | None) -> Encoder:
    """The teacher of that name, as an encoder of that modality; `train.features.cached_features` keeps what it says.

    Args:
        name: "yamnet.tflite" or the name of an ONNX file, in the folder `teachers` of the data folder; or an encoder of
            the registry that needs no options, for its features; or a model that `load_model` finds ("clip", a folder,
            user/repo@revision), for its embeddings.
        folder: the data folder.
    Returns:
        An encoder; YAMNet gives 1,024 features, then 521 scores in [0, 1]; a network of ONNX its outputs side by side.
    Raises:
        ConfigError: nobody of that name, or a teacher of another modality.
        ModelError: a teacher that cannot be loaded.
    """
    teacher = _found(name, modality, folder)
    if teacher.modality is not modality:
        came = f"the teacher {name}, which knows {teacher.modality}"
        raise ConfigError(came, f"one for {modality}", "Choose another teacher.")
    return teacher


def _found(name: str, modality: Modality, folder: Path | None) -> Encoder:
    if name.endswith((".tflite", ".onnx")):
        return _of_folder(name, folder)
    if name in registry.names():
        try:
            return registry.find(name)()
        except TypeError as error:
            came = f"the teacher {name}, an encoder that needs options"
            raise ConfigError(came, "one without", "Name a model that has it, such as a preset.") from error
    known = [BUNDLED, *presets(), *registry.names()]
    if name not in known and "/" not in name and not Path(name).is_dir():
        near = difflib.get_close_matches(name, known, n=3) or known
        raise ConfigError(f"the teacher {name!r}", f"such as {', '.join(near)}", "Check its name.")
    model = load_model(name, device="cpu")
    if modality not in model.towers:
        came, expected = f"the teacher {name} for {modality}", f"it for {', '.join(sorted(model.towers))}"
        raise ConfigError(came, expected, "Choose another teacher.")
    return ModelTeacher(modality, model.towers[modality], model.dim)


def _of_folder(name: str, folder: Path | None) -> Encoder:
    teachers = folder / "teachers" if folder else None
    path = teachers / Path(name).name if teachers else None
    if path is None or not path.is_file() or (path.suffix == ".tflite" and name != YAMNET):
        there = sorted(each.name for each in teachers.glob("*")) if teachers else []
        usable = [each for each in there if each == YAMNET or each.endswith(".onnx")]
        expected = f"one of {', '.join(usable)}" if usable else "a data folder with networks in its folder teachers"
        raise ConfigError(f"the teacher {name}", expected, "Check its name and data.folder.")
    return YamnetSounds(path) if name == YAMNET else OnnxPictures(path)


class ModelTeacher:
    """A model's embeddings of one modality, as an encoder: unit rows [B, D]."""

    def __init__(self, modality: Modality, tower: Tower, dim: int) -> None:
        self._tower, self.modality, self.dim, self.info = tower, modality, dim, tower.encoder.info
        self.network: nn.Module = nn.ModuleList([tower.encoder.network, tower.head])

    def prepare(self, item: object) -> Prepared:
        """As the model's own encoder does."""
        return self._tower.encoder.prepare(item)

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""
        embedding: Tensor = self._tower(batch).float()
        return embedding


class YamnetSounds:
    """YAMNet over a whole sound: the mean over windows of 0.975 s, half overlapping, of features and scores: [B, 1545].

    Args:
        path: of yamnet.tflite.
    """

    modality = Modality.AUDIO
    dim = NUM_FEATURES + NUM_CLASSES
    info = EncoderInfo(
        paper="YAMNet: Hershey et al. 2017, arXiv 1609.09430, with the network of MobileNet, arXiv 1704.04861",
        licence="Apache-2.0",
        input="16 kHz, windows of 0.975 s",
        weights=YAMNET,
    )

    def __init__(self, path: Path) -> None:
        self._teacher, self._front_end = YamnetTeacher(path.parent), LogMelWindows()
        self.network: nn.Module = FileIdentity(path)

    def prepare(self, item: Audio) -> Prepared:
        """`windows`: float32 [num_windows, 96, 64], log-mel; a shorter sound is followed by silence."""
        return {"windows": self._front_end(resample(torch.tensor(item.waveform), item.rate_hz, RATE_HZ).clamp(-1, 1))}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Features, then scores, float32 [B, 1545]."""
        answers = [self._teacher(item["windows"]) for item in batch]
        return torch.stack([torch.cat([said.features, said.scores], dim=1).mean(dim=0) for said in answers])


class OnnxPictures:
    """A network on pictures from an ONNX file, with the input of the EfficientNet-Lites: [B, sum of its outputs].

    Args:
        path: of a file with one input, float32 [n, 3, h, w], RGB, (pixel - 127) / 128, and outputs [n, width].
    Raises:
        ModelError: not such a network.
    """

    modality = Modality.IMAGE

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
            (self._input,) = (each.name for each in self._session.get_inputs())
            self.dim = sum(width for _, width in (each.shape for each in self._session.get_outputs()))
        except Exception as error:  # its own errors have no base but this one
            came = f"{path.name} cannot be used as a teacher ({type(error).__name__})"
            raise ModelError(came, "an ONNX network of one input and outputs [n, width]", "Check the file.") from error
        self.info = EncoderInfo(
            paper="as the file states", licence="as the file states", input="224 x 224 px, the whole", weights=path.name
        )
        self.network: nn.Module = FileIdentity(path)

    def prepare(self, item: Image) -> Prepared:
        """`pixels`: uint8 [3, 224, 224]; the whole picture, squeezed to a square."""
        return {"pixels": prepare_pixels(item.pixels, ONNX_SIDE_PX)}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """The outputs side by side, float32 [B, dim]."""
        pixels = (torch.stack([item["pixels"] for item in batch]).float() - 127.0) / 128.0
        return torch.from_numpy(np.concatenate(self._session.run(None, {self._input: pixels.numpy()}), axis=1))


class FileIdentity(nn.Module):
    """Stands for the weights of a network that runs outside torch: the SHA-256 of its file, for fingerprints."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        digest = hashlib.sha256(path.read_bytes()).digest()
        self.register_buffer("sha256", torch.tensor(list(digest), dtype=torch.uint8))
