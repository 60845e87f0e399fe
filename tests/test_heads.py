"""Heads: unit rows of the right width, a known start, and helpful refusals."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.joined import FramesAndSound
from unimma.errors import ModelError
from unimma.heads import AdapterHead, BridgeHead, ClipHead, ConseHead, HeadConfig, LinearHead, MlpHead, build_head
from unimma.model import Tower
from unimma.types import Audio, Image, Modality, Video


@pytest.mark.parametrize(
    "config",
    [
        HeadConfig(kind="none", num_features=8, dim=8),
        HeadConfig(kind="linear", num_features=12, dim=8),
        HeadConfig(kind="linear", num_features=4, dim=8),
        HeadConfig(kind="adapter", num_features=8, dim=8, hidden=3),
        HeadConfig(kind="adapter", num_features=12, dim=8, hidden=3),
        HeadConfig(kind="mlp", num_features=12, dim=8, hidden=16),
        HeadConfig(kind="mlp", num_features=12, dim=8, hidden=16, num_layers=3),
        HeadConfig(kind="conse", num_features=12, dim=8, hidden=16, num_classes=5),
        HeadConfig(kind="clip", num_features=33, dim=8, hidden=16),
    ],
    ids=lambda config: f"{config.kind}-{config.num_features}-{config.num_layers}",
)
def test_every_head_gives_unit_rows(config: HeadConfig) -> None:
    head = build_head(config).eval()
    if isinstance(head, ConseHead):  # without its classes and its linear map it has nothing to say
        head.set_classes(F.normalize(torch.randn(config.num_classes, config.dim), dim=1))
    z = head(torch.randn(4, config.num_features))
    assert z.shape == (4, 8)
    assert torch.allclose(z.norm(dim=1), torch.ones(4), atol=1e-5)


def test_a_linear_head_starts_as_the_centred_identity() -> None:
    head = LinearHead(HeadConfig(kind="linear", num_features=6, dim=6))
    head.get_buffer("centre").fill_(0.5)
    features = torch.rand(3, 6)
    assert torch.allclose(head(features), F.normalize(features - 0.5, dim=1))


def cosines(rows: torch.Tensor) -> torch.Tensor:
    unit = F.normalize(rows, dim=1)
    return unit @ unit.T


def test_a_linear_head_of_other_widths_starts_with_what_was_alike_still_alike() -> None:
    features = torch.randn(20, 200, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    wider = LinearHead(HeadConfig(kind="linear", num_features=200, dim=300))(features)
    assert torch.allclose(cosines(wider), cosines(features), atol=1e-5)
    narrow = LinearHead(HeadConfig(kind="linear", num_features=200, dim=100))
    assert (cosines(narrow(features)) - cosines(features)).abs().max() < 0.35  # of random rows, each of 1 / sqrt(100)
    late = F.pad(features[:, :50], (150, 0))  # everything in the last features, which a cut identity would not see
    seen = cosines(narrow(late)).flatten(), cosines(late).flatten()
    assert torch.corrcoef(torch.stack(seen))[0, 1] > 0.9


@pytest.mark.parametrize("ratio", [0.2, 0.9])
def test_an_adapter_starts_as_the_space_it_bends(ratio: float) -> None:
    head = AdapterHead(HeadConfig(kind="adapter", num_features=6, dim=6, hidden=2, ratio=ratio))
    features = torch.randn(5, 6)
    assert torch.allclose(head(features), F.normalize(features, dim=1), atol=1e-6)


def test_the_ratio_of_an_adapter_is_how_far_it_bends() -> None:
    features = F.normalize(torch.randn(5, 6, generator=torch.Generator().manual_seed(1)), dim=1)
    near, far = (
        AdapterHead(HeadConfig(kind="adapter", num_features=6, dim=6, hidden=2, ratio=ratio)).eval()
        for ratio in (0.1, 0.8)
    )
    torch.nn.init.normal_(near.up.weight)
    far.load_state_dict({**near.state_dict(), "ratio": torch.tensor(0.8)})
    bent = near.up(F.gelu(near.down(features)))
    assert torch.allclose(near(features), F.normalize(0.9 * features + 0.1 * bent, dim=1), atol=1e-5)
    assert ((near(features) * features).sum(dim=1) > (far(features) * features).sum(dim=1)).all()


BRIDGE = HeadConfig(kind="bridge", num_features=6, dim=6, hidden=64, num_layers=1, num_queries=3, dropout=0.0)


@pytest.fixture
def bridge() -> BridgeHead:
    """One that has learned something: the last layer no longer at zero."""
    torch.manual_seed(0)
    head = BridgeHead(BRIDGE).eval()
    torch.nn.init.normal_(head.project.weight)
    return head


def in_time(count: int) -> torch.Tensor:
    """Times of that many tokens, a second apart: [1, count, 2]."""
    return torch.arange(float(count))[None, :, None].expand(1, count, 2)


def test_an_untrained_bridge_is_the_mean_of_its_tokens() -> None:
    tokens = torch.randn(1, 4, 6)
    expected = F.normalize(tokens.mean(dim=1), dim=1)
    assert torch.allclose(BridgeHead(BRIDGE)(tokens, in_time(4)), expected, atol=1e-6)


def test_filling_up_a_sequence_does_not_change_its_embedding(bridge: BridgeHead) -> None:
    tokens, times = torch.randn(1, 3, 6), in_time(3)
    alone = bridge(tokens, times)
    padded = torch.cat([tokens, torch.full((1, 2, 6), torch.nan)], dim=1)
    longer = bridge(padded, F.pad(times, (0, 0, 0, 2), value=torch.nan))
    assert torch.allclose(alone, longer, atol=1e-5)


def test_a_bridge_hears_when_something_was(bridge: BridgeHead) -> None:
    tokens = torch.randn(1, 3, 6)
    order = [2, 0, 1]
    assert torch.allclose(bridge(tokens, in_time(3)), bridge(tokens[:, order], in_time(3)[:, order]), atol=1e-5)
    assert not torch.allclose(bridge(tokens, in_time(3)), bridge(tokens[:, order], in_time(3)), atol=1e-2)


def test_a_bridge_learns_to_look_at_the_token_that_matters() -> None:
    torch.manual_seed(0)
    config = HeadConfig(kind="bridge", num_features=6, dim=4, hidden=64, num_layers=1, num_queries=2, dropout=0.0)
    head = build_head(config)
    optimiser = torch.optim.Adam(head.parameters(), lr=3e-3)
    for _ in range(80):
        tokens = torch.randn(32, 5, 6)
        marked = torch.randint(5, (32,))
        tokens[torch.arange(32), marked, 5] = 6.0  # the mark; the token that wears it says what is wanted
        wanted = F.normalize(tokens[torch.arange(32), marked, :4], dim=1)
        loss = (1 - (head(tokens, in_time(5).expand(32, -1, -1)) * wanted).sum(dim=1)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.35  # the plain mean of five stays near 0.6


class Flat:
    """A tiny encoder of pictures or sounds: the mean of four stretches of what comes in, as a row of unit length."""

    dim = 4
    info = EncoderInfo(paper="none", licence="none", input="numbers", weights="none")
    network = torch.nn.Module()

    def __init__(self, modality: Modality) -> None:
        self.modality = modality

    def prepare(self, item: Image | Audio) -> Prepared:
        values = item.pixels / 255.0 if isinstance(item, Image) else np.abs(item.waveform)
        return {"parts": torch.tensor([float(part.mean()) for part in np.array_split(values.ravel(), 4)])}

    def encode(self, batch: Sequence[Prepared]) -> torch.Tensor:
        return F.normalize(torch.stack([item["parts"] for item in batch]) + 1e-3, dim=1)


def clip(num_frames: int, *, heard: bool) -> Video:
    rng = np.random.default_rng(num_frames)
    sound = Audio(rng.normal(size=4_000).astype(np.float32), 1_000) if heard else None
    frames = rng.integers(0, 256, (num_frames, 4, 4, 3), dtype=np.uint8)
    return Video(frames, np.arange(num_frames) / 2.0, 4.0, sound)


def frames_and_sound() -> FramesAndSound:
    none = HeadConfig(kind="none", num_features=4, dim=4)
    image, audio = (Tower(Flat(m), build_head(none)) for m in (Modality.IMAGE, Modality.AUDIO))
    return FramesAndSound(image, audio, width=4, num_frames=8)


def test_a_clip_as_a_sequence_is_its_frames_at_their_times_and_its_sound_over_all_of_it() -> None:
    encoder = frames_and_sound()
    clips = [clip(3, heard=True), clip(2, heard=False)]
    tokens, times = encoder.encode_sequence([encoder.prepare(each) for each in clips])
    assert tokens.shape == (2, 4, 4)
    assert times[0].tolist() == [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0], [0.0, 4.0]]
    assert times[1, :2].tolist() == [[0.0, 0.0], [0.5, 0.5]]
    assert times[1, 2:].isnan().all()
    heard = encoder.audio.encoder
    assert torch.allclose(tokens[0, 3], heard.encode([heard.prepare(clips[0].sound)])[0], atol=1e-6)


def test_a_tower_with_a_bridge_goes_through_the_sequence() -> None:
    torch.manual_seed(0)
    encoder = frames_and_sound()
    head = BridgeHead(HeadConfig(kind="bridge", num_features=4, dim=4, hidden=64, num_layers=1, dropout=0.0)).eval()
    torch.nn.init.normal_(head.project.weight)
    tower = Tower(encoder, head)
    prepared = [encoder.prepare(clip(n, heard=heard)) for n, heard in ((3, True), (5, False), (1, False))]
    together, alone = tower(prepared), torch.cat([tower([each]) for each in prepared])
    assert torch.allclose(together, alone, atol=1e-5)  # neighbours of other lengths do not matter
    assert torch.allclose(together, head(*encoder.encode_sequence(prepared)))


def test_a_bridge_on_an_encoder_without_a_sequence_is_refused() -> None:
    with pytest.raises(ModelError, match="image that gives no sequence; expected an encoder with encode_sequence"):
        Tower(Flat(Modality.IMAGE), BridgeHead(BRIDGE))


def test_a_conse_head_without_its_mlp_is_the_mixture_of_class_directions() -> None:
    head = ConseHead(HeadConfig(kind="conse", num_features=9, dim=4, hidden=8, num_classes=3)).eval()
    head.set_classes(F.normalize(torch.randn(3, 4), dim=1))
    head.log_mix.data.fill_(12.0)  # the mixture outweighs the rest by far
    head.log_temperature.data.fill_(0.0)
    logits = torch.tensor([[4.0, 1.0, -2.0]])
    features = torch.cat([torch.randn(1, 6), logits], dim=1)
    weights = torch.exp(logits[0]) / torch.exp(logits[0]).sum()
    slow = sum(weights[c] * head.get_buffer("class_directions")[c] for c in range(3))
    assert torch.allclose(head(features)[0], F.normalize(slow, dim=0), atol=1e-4)


def test_class_directions_tell_alike_classes_apart_where_their_embeddings_do_not() -> None:
    """Two classes that mean nearly the same, and a third: which of the two is likelier must decide."""
    embeddings = F.normalize(torch.tensor([[1.0, 0.1, 0.0, 0.0], [1.0, -0.1, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]), dim=1)
    head = ConseHead(HeadConfig(kind="conse", num_features=9, dim=4, hidden=8, num_classes=3)).eval()
    head.set_classes(embeddings)
    directions = head.get_buffer("class_directions")
    assert directions.norm(dim=1).mean().item() == pytest.approx(1.0)
    mixture = torch.tensor([0.45, 0.1, 0.45])
    plain, apart = F.normalize(mixture @ embeddings, dim=0), F.normalize(mixture @ directions, dim=0)
    assert (embeddings @ plain)[1] > (embeddings @ plain)[2]  # dragged along by its likely neighbour
    assert (embeddings @ apart)[1] < (embeddings @ apart)[2]


def test_a_conse_head_starts_as_its_mixture_and_its_linear_map() -> None:
    head = ConseHead(HeadConfig(kind="conse", num_features=9, dim=4, hidden=8, num_classes=3)).eval()
    head.log_mix.data.fill_(-20.0)
    torch.nn.init.normal_(head.linear.weight)
    features = torch.randn(2, 9)
    assert torch.allclose(head(features), F.normalize(head.linear(features[:, :6]), dim=1), atol=1e-5)


def test_a_standardised_training_set_has_mean_zero_and_deviation_one() -> None:
    head = MlpHead(HeadConfig(kind="mlp", num_features=5, dim=4))
    features = torch.randn(200, 5) * torch.tensor([1.0, 5.0, 0.1, 3.0, 2.0]) + 7.0
    head.standardise.fit(features)
    out = head.standardise(features)
    assert torch.allclose(out.mean(dim=0), torch.zeros(5), atol=1e-4)
    assert torch.allclose(out.std(dim=0), torch.ones(5), atol=1e-3)


def test_an_untrained_clip_head_is_frames_plus_sound() -> None:
    head = ClipHead(HeadConfig(kind="clip", num_features=17, dim=4, hidden=8)).eval()
    frames, sound = F.normalize(torch.randn(4), dim=0), F.normalize(torch.randn(4), dim=0)
    row = torch.cat([frames, torch.zeros(8), sound, torch.ones(1)])
    expected = F.normalize(frames + head.log_sound.exp() * sound, dim=0)
    assert torch.allclose(head(row[None])[0], expected, atol=1e-6)
    silent = torch.cat([frames, torch.zeros(13)])
    assert torch.allclose(head(silent[None])[0], frames, atol=1e-6)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="none, linear, mlp, adapter, conse, clip, bridge"):
        build_head(HeadConfig(kind="cubic", num_features=3, dim=3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "mlp", "num_layers": 1}, "num_layers = 1; expected 2 or 3"),
        ({"kind": "linear", "dim": 0}, "dim = 0; expected 1 or more"),
        ({"kind": "mlp", "dropout": 1.0}, "dropout = 1.0"),
        ({"kind": "adapter", "ratio": 0.0}, "ratio = 0.0; expected more than 0"),
        ({"kind": "bridge", "hidden": 100}, "hidden = 100; expected a multiple of 64"),
        ({"kind": "bridge", "hidden": 64, "num_queries": 0}, "num_queries = 0"),
        ({"kind": "conse", "num_classes": 12}, "num_classes = 12; expected 1 or more and less than its 12 features"),
        ({"kind": "clip"}, r"num_features = 12; expected 4 x 8 \+ 1"),
    ],
    ids=str,
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        build_head(HeadConfig(**{"num_features": 12, "dim": 8, **wrong}))  # type: ignore[arg-type]
