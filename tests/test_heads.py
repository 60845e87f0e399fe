"""Heads: unit rows of the right width, a known start, and helpful refusals."""

import pytest
import torch
from torch.nn import functional as F

from unimma.errors import ModelError
from unimma.heads import ClipHead, ConseHead, HeadConfig, LinearHead, MlpHead, build_head


@pytest.mark.parametrize(
    "config",
    [
        HeadConfig(kind="none", num_features=8, dim=8),
        HeadConfig(kind="linear", num_features=12, dim=8),
        HeadConfig(kind="mlp", num_features=12, dim=8, hidden=16),
        HeadConfig(kind="mlp", num_features=12, dim=8, hidden=16, num_layers=3),
        HeadConfig(kind="conse", num_features=12, dim=8, hidden=16, num_classes=5),
        HeadConfig(kind="clip", num_features=33, dim=8, hidden=16),
    ],
    ids=lambda config: f"{config.kind}-{config.num_layers}",
)
def test_every_head_gives_unit_rows(config: HeadConfig) -> None:
    head = build_head(config).eval()
    z = head(torch.randn(4, config.num_features))
    assert z.shape == (4, 8)
    assert torch.allclose(z.norm(dim=1), torch.ones(4), atol=1e-5)


def test_a_linear_head_starts_as_the_centred_identity() -> None:
    head = LinearHead(HeadConfig(kind="linear", num_features=6, dim=6))
    head.get_buffer("centre").fill_(0.5)
    features = torch.rand(3, 6)
    assert torch.allclose(head(features), F.normalize(features - 0.5, dim=1))


def test_a_conse_head_without_its_mlp_is_the_mixture_of_class_sentences() -> None:
    head = ConseHead(HeadConfig(kind="conse", num_features=9, dim=4, hidden=8, num_classes=3)).eval()
    head.get_buffer("class_embeddings").copy_(F.normalize(torch.randn(3, 4), dim=1))
    head.log_mix.data.fill_(12.0)  # the mixture outweighs the rest by far
    logits = torch.tensor([[4.0, 1.0, -2.0]])
    features = torch.cat([torch.randn(1, 6), logits], dim=1)
    weights = torch.exp(logits[0]) / torch.exp(logits[0]).sum()
    slow = sum(weights[c] * head.get_buffer("class_embeddings")[c] for c in range(3))
    assert torch.allclose(head(features)[0], F.normalize(slow, dim=0), atol=1e-4)


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


def test_a_wrong_shape_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelError, match="none, linear, mlp, conse, clip"):
        build_head(HeadConfig(kind="cubic", num_features=3, dim=3))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="9 classes among 5 features"):
        build_head(HeadConfig(kind="conse", num_features=5, dim=3, num_classes=9))
