"""Any image encoder over the frames of a clip: mean, attention and transformer pooling."""

from pathlib import Path

import numpy as np
import pytest
import torch

import unimma
from tests.encoders import tiny_vision
from tests.makers import write_clip
from unimma import media
from unimma.encoders.registry import find
from unimma.encoders.trained import trained_parameters
from unimma.errors import ModelError
from unimma.heads import HeadConfig
from unimma.loading import build_model
from unimma.model import ModelConfig
from unimma.types import Image, Modality, Video

pytestmark = pytest.mark.usefixtures("no_network")

POOLINGS = ["mean", "attention", "transformer"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The spec of a tiny image encoder."""
    folder = tiny_vision.write("clip", tmp_path_factory.mktemp("checkpoints") / "clip")
    return {"name": "clip-image", "checkpoint": str(folder)}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Video:
    decoded = media.decode(write_clip(tmp_path_factory.mktemp("clips") / "rising.mp4"))
    assert isinstance(decoded, Video)
    return decoded


def first(clip: Video, count: int) -> Video:
    return Video(clip.frames[:count], clip.times[:count], float(clip.times[count]))


def expected(image: dict[str, str], clip: Video) -> torch.Tensor:
    own = find(image["name"])(checkpoint=image["checkpoint"])
    with torch.inference_mode():
        return own.encode([own.prepare(Image(frame)) for frame in clip.frames])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_untrained_it_is_the_mean_of_the_image_encoders_rows(pooling: str, image: dict[str, str], clip: Video) -> None:
    encoder = find("frames")(image=image, pooling=pooling)
    rows = expected(image, clip)
    with torch.inference_mode():
        prepared = [encoder.prepare(clip)]
        pooled, (tokens, times) = encoder.encode(prepared), encoder.encode_sequence(prepared)
    assert (pooled[0] - rows.mean(dim=0)).abs().max() < 1e-5
    assert (tokens[0] - rows).abs().max() < 1e-5
    assert torch.allclose(times[0, :, 0], torch.tensor(clip.times).float())
    assert torch.equal(times[0, 1:, 0], times[0, :-1, 1]) and times[0, -1, 1] == pytest.approx(clip.duration_s)
    assert encoder.dim == encoder.token_dim == 24 and encoder.info.weights == "clip"
    assert f"pooled by {pooling}" in encoder.info.input


def trained(encoder: unimma.encoders.base.Encoder) -> None:
    """Put numbers into the pooling that no longer make it the mean."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for parameter in trained_parameters(encoder, "all").values():
            parameter.add_(torch.randn_like(parameter))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_clip_does_not_depend_on_its_neighbours(pooling: str, image: dict[str, str], clip: Video) -> None:
    encoder = find("frames")(image=image, pooling=pooling)
    if pooling != "mean":
        trained(encoder)
    with torch.inference_mode():
        prepared = [encoder.prepare(item) for item in (first(clip, 3), clip, first(clip, 1))]
        together = encoder.encode(prepared)
        alone = torch.cat([encoder.encode([item]) for item in prepared])
        _, times = encoder.encode_sequence(prepared)
    assert together.isfinite().all() and (together - alone).abs().max() < 1e-5
    assert times[0, 3:].isnan().all() and times[2, 1:].isnan().all()


@pytest.mark.parametrize("pooling", ["attention", "transformer"])
def test_pooling_learns_which_frames_count_and_the_image_encoder_stays(
    pooling: str, image: dict[str, str], clip: Video
) -> None:
    encoder = find("frames")(image=image, pooling=pooling)
    names = set(trained_parameters(encoder, "all"))
    assert names and all(name.startswith("pool.") for name in names)
    parameters = list(trained_parameters(encoder, "all").values())
    for parameter in parameters:
        parameter.requires_grad_(True)
    prepared = [encoder.prepare(clip)]
    target = expected(image, clip)[-1]  # the last frame alone
    optimiser = torch.optim.Adam(parameters, lr=1e-2)
    losses = []
    for _ in range(40):
        loss = (encoder.encode(prepared)[0] - target).square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_with_the_mean_the_image_encoder_is_what_is_trained(image: dict[str, str], clip: Video) -> None:
    encoder = find("frames")(image=image)
    names = set(trained_parameters(encoder, "all"))
    assert names and all(name.startswith(("image.vision_model.", "image.visual_projection.")) for name in names)


@pytest.mark.parametrize("pooling", ["attention", "transformer"])
def test_a_checkpoint_carries_the_trained_pooling(
    pooling: str, image: dict[str, str], clip: Video, tmp_path: Path
) -> None:
    spec = {"name": "frames", "image": image, "pooling": pooling}
    config = ModelConfig(
        name="t",
        dim=24,
        encoders={Modality.VIDEO: spec | {"trained": "all"}},
        heads={Modality.VIDEO: HeadConfig(kind="none", num_features=24, dim=24)},
    )
    model, pristine = build_model(config), build_model(config)
    assert model.fingerprint == pristine.fingerprint  # what is not trained is the same whenever it is made
    trained(model.towers[Modality.VIDEO].encoder)
    model = unimma.UniMMA(model.config, model.towers)
    model.save_pretrained(tmp_path)
    again = unimma.load_model(tmp_path)
    assert again.fingerprint == model.fingerprint != pristine.fingerprint
    assert np.allclose(again.embed(clip), model.embed(clip), atol=1e-6)
    assert not np.allclose(again.embed(clip), pristine.embed(clip), atol=1e-3)


def test_what_is_no_image_encoder_is_refused(image: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="one of pictures"):
        find("frames")(image={"name": "clip-text", "checkpoint": image["checkpoint"]})
    with pytest.raises(ModelError, match="one of mean, attention, transformer"):
        find("frames")(image=image, pooling="max")
    with pytest.raises(ModelError, match="encoder 'clip-imag'"):
        find("frames")(image="clip-imag")
