"""Teachers by name: a tiny CLIP of the registry, a model, a network of ONNX made here, and a stand-in for YAMNet."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

import unimma
from tests.makers import corners, tone
from train import teachers
from train.data.parquet import Row
from train.data.scenes import scene_rows
from train.data.yamnet import Answers
from train.features import AnyRow, Features, cached_features
from train.teachers import find_teacher
from unimma.compat import ensure_torch_extensions
from unimma.encoders import registry
from unimma.encoders.base import fingerprint
from unimma.encoders.efficientnet_lite import prepare_pixels
from unimma.encoders.open_clip import OpenClipImageEncoder
from unimma.errors import ConfigError, ModelError
from unimma.types import Audio, Image, Modality

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def row(identity: str, media: bytes) -> Row:
    return Row("pictures", identity, "train", Modality.IMAGE, media, None, (), None, None)


@pytest.fixture
def pictures() -> list[Row]:
    """Three pictures, and between them one that is none."""
    rows = []
    for turn in range(3):
        stream = io.BytesIO()
        PillowImage.fromarray(np.rot90(corners(48, 48), turn)).save(stream, "png")
        rows.append(row(f"turned-{turn}", stream.getvalue()))
    return [rows[0], row("broken", b"no picture"), *rows[1:]]


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A tiny CLIP of random weights, in the registry as "tiny-clip"; what open_clip needs to make it again."""
    ensure_torch_extensions()
    import open_clip

    folder = tmp_path_factory.mktemp("tiny-clip")
    (folder / "tiny-teacher.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny-teacher.json")
    torch.manual_seed(0)
    torch.save(open_clip.create_model("tiny-teacher").state_dict(), folder / "tiny.pt")
    options = {"model": "tiny-teacher", "pretrained": str(folder / "tiny.pt")}
    registry.register("tiny-clip")(lambda: OpenClipImageEncoder(**options))
    yield options
    registry._ENCODERS.pop("tiny-clip")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose `teachers` hold a network: mean colour, and the brightest and darkest value."""
    from onnx import TensorProto, helper, save

    shapes: dict[str, list[str | int | None]] = {"image": ["n", 3, "h", "w"], "colour": ["n", 3], "range": ["n", 2]}
    image, colour, extremes = (helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items())
    nodes = [
        helper.make_node("ReduceMean", ["image", "hw"], ["colour"], keepdims=0),
        helper.make_node("Reshape", ["image", "flat"], ["row"]),
        helper.make_node("ReduceMin", ["row", "last"], ["least"], keepdims=1),
        helper.make_node("ReduceMax", ["row", "last"], ["most"], keepdims=1),
        helper.make_node("Concat", ["least", "most"], ["range"], axis=1),
    ]
    constants = {"hw": [2, 3], "flat": [0, -1], "last": [1]}
    tensors = [helper.make_tensor(k, TensorProto.INT64, [len(v)], v) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "colours", [image], [colour, extremes], tensors)
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    (tmp_path / "data" / "teachers").mkdir(parents=True)
    save(network, tmp_path / "data" / "teachers" / "colours.onnx")
    return tmp_path / "data"


def teacher_features(name: str, rows: Sequence[AnyRow], cache: Path, *, stem: str, folder: Path | None) -> Features:
    """What a training keeps of a teacher."""
    return cached_features(find_teacher(name, rows[0].modality, folder), rows, cache, name=stem)


def decoded(rows: list[Row]) -> list[Image]:
    return [item for item in (each.decode() for each in rows) if isinstance(item, Image)]


def test_an_encoder_of_the_registry_teaches_its_features(
    tiny_clip: dict[str, str], pictures: list[Row], tmp_path: Path
) -> None:
    found = teacher_features("tiny-clip", pictures, tmp_path, stem="pictures", folder=None)
    assert found.values.dtype == np.float16
    assert found.kept.tolist() == [0, 2, 3]
    encoder = OpenClipImageEncoder(**tiny_clip)
    with torch.inference_mode():
        direct = encoder.encode([encoder.prepare(item) for item in decoded([pictures[i] for i in found.kept])])
    assert found.values.astype(np.float32) == pytest.approx(direct.numpy(), abs=1e-3)


def test_what_a_teacher_said_is_not_asked_again(
    tiny_clip: dict[str, str], pictures: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = teacher_features("tiny-clip", pictures, tmp_path, stem="pictures", folder=None)
    monkeypatch.setattr(OpenClipImageEncoder, "encode", None)  # whoever asks now fails
    again = teacher_features("tiny-clip", pictures, tmp_path, stem="pictures", folder=None)
    assert np.array_equal(first.values, again.values)


def test_a_model_teaches_its_embeddings(tiny_clip: dict[str, str], pictures: list[Row], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    spec = {"name": "open-clip-image", **tiny_clip}
    head = {"kind": "linear", "num_features": 16, "dim": 8}
    config = {"name": "tiny", "dim": 8, "encoders": {"image": spec}, "heads": {"image": head}, "null": {}}
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    weights = {"centre": torch.zeros(16), "linear.weight": torch.randn(8, 16), "linear.bias": torch.randn(8)}
    save_file({f"heads.image.{name}": tensor for name, tensor in weights.items()}, folder / "model.safetensors")
    found = teacher_features(str(folder), pictures, tmp_path / "cache", stem="pictures", folder=None)
    items = decoded([pictures[i] for i in found.kept])
    assert found.values.astype(np.float32) == pytest.approx(unimma.load_model(str(folder)).embed(items), abs=1e-3)
    with pytest.raises(ConfigError, match="for audio; expected it for image"):
        find_teacher(str(folder), Modality.AUDIO, None)


def test_a_network_of_the_data_folder_teaches_its_outputs_side_by_side(
    data: Path, pictures: list[Row], tmp_path: Path
) -> None:
    found = teacher_features("colours.onnx", pictures, tmp_path / "cache", stem="pictures", folder=data)
    assert found.kept.tolist() == [0, 2, 3]
    for values, item in zip(found.values, decoded([pictures[i] for i in found.kept]), strict=True):
        seen = (prepare_pixels(item.pixels, 224).numpy().astype(np.float32) - 127) / 128
        assert values == pytest.approx([*seen.mean(axis=(1, 2)), seen.min(), seen.max()], abs=2e-3)


def test_another_file_of_the_same_name_is_another_teacher(data: Path) -> None:
    first = fingerprint(find_teacher("colours.onnx", Modality.IMAGE, data))
    path = data / "teachers" / "colours.onnx"
    path.write_bytes(path.read_bytes().replace(b"colours", b"COLOURS"))
    assert fingerprint(find_teacher("colours.onnx", Modality.IMAGE, data)) != first


class LoudTeacher:
    """In the place of YAMNet: the log-mel at the middle of a window, twice that in each feature, once in each score."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, log_mel: torch.Tensor) -> Answers:
        assert log_mel.shape[1:] == (96, 64)
        loud = log_mel.mean(dim=(1, 2))
        late = 2 * loud[:, None, None, None].expand(-1, 1024, 3, 2)
        return Answers(late[:, :512].repeat(1, 1, 2, 2), late, loud[:, None].expand(-1, 521))


@pytest.fixture
def loud(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder with a file in YAMNet's place, and what runs it."""
    (data / "teachers" / "yamnet.tflite").write_bytes(b"stands for the network")
    monkeypatch.setattr(teachers, "YamnetTeacher", LoudTeacher)
    return data


def test_yamnet_teaches_the_mean_over_half_overlapping_windows(loud: Path) -> None:
    teacher = find_teacher("yamnet.tflite", Modality.AUDIO, loud)
    long, short = tone(1.5, rate_hz=16_000), tone(0.3, rate_hz=16_000)  # two windows, and one with silence after it
    prepared = [teacher.prepare(Audio(waveform, 16_000)) for waveform in (long, short)]
    assert [tuple(item["windows"].shape) for item in prepared] == [(2, 96, 64), (1, 96, 64)]
    heard = teacher.encode(prepared).numpy()
    assert heard.shape == (2, 1545)
    assert np.ptp(heard[:, :1024], axis=1) == pytest.approx([0, 0]) == np.ptp(heard[:, 1024:], axis=1)
    mean = [float(item["windows"].mean()) for item in prepared]
    assert heard[:, 0] == pytest.approx([2 * loud for loud in mean], rel=1e-4)
    assert heard[:, -1] == pytest.approx(mean, rel=1e-4)


def test_yamnet_hears_sounds_of_any_rate_and_never_beyond_full_scale(loud: Path) -> None:
    teacher = find_teacher("yamnet.tflite", Modality.AUDIO, loud)
    loudest = np.ones(44_100, np.float32)
    beyond, full = (teacher.prepare(Audio(level * loudest, 44_100))["windows"] for level in (4.0, 1.0))
    assert torch.allclose(beyond[:, 10:80], full[:, 10:80], atol=1e-2)
    rows = scene_rows(Modality.AUDIO, 1)[:2]
    found = teacher_features("yamnet.tflite", rows, loud / "cache", stem="drawn", folder=loud)
    assert found.values.shape == (2, 1545)


@pytest.mark.parametrize(
    ("name", "modality", "said"),
    [
        ("tiny-clop", Modality.IMAGE, "teacher 'tiny-clop'; expected such as tiny-clip"),
        ("tiny-clip", Modality.AUDIO, "tiny-clip, which knows image; expected one for audio"),
        ("open-clip-text", Modality.TEXT, "open-clip-text, an encoder that needs options"),
        ("colors.onnx", Modality.IMAGE, "teacher colors.onnx; expected one of colours.onnx"),
        ("vggish.tflite", Modality.AUDIO, "teacher vggish.tflite; expected one of colours.onnx"),
        ("colours.onnx", Modality.AUDIO, "colours.onnx, which knows image"),
    ],
)
def test_a_teacher_that_cannot_be_is_refused_with_the_reason(
    tiny_clip: dict[str, str], data: Path, name: str, modality: Modality, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        find_teacher(name, modality, data)


def test_a_network_without_a_data_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"teacher yamnet\.tflite; expected a data folder"):
        find_teacher("yamnet.tflite", Modality.AUDIO, None)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def with_two_inputs(path: Path) -> None:
    import onnx

    network = onnx.load(path)
    network.graph.input.append(onnx.helper.make_tensor_value_info("mask", onnx.TensorProto.FLOAT, ["n", 1]))
    onnx.save(network, path)


@pytest.mark.parametrize("damage", [cut_in_half, with_two_inputs])
def test_a_file_that_is_no_such_network_is_refused_by_its_name_alone(
    data: Path, damage: Callable[[Path], None]
) -> None:
    damage(data / "teachers" / "colours.onnx")
    with pytest.raises(ModelError, match=r"^colours\.onnx cannot be used as a teacher") as caught:
        find_teacher("colours.onnx", Modality.IMAGE, data)
    assert str(data) not in str(caught.value)
