"""CAV-MAE as it is pretrained and as it is fine-tuned: `CAVMAE` and `CAVMAEFinetuned`, and `log_mel`, their front end.

Gong et al. 2023, Contrastive Audio-Visual Masked Autoencoder, ICLR, openreview.net/forum?id=QPtMRyk5rb. B items, La and
Lv patches of sound and picture (Ka and Kv of them kept), D the width, P the numbers of a patch.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self, get_args

import torch
from torch import Tensor, nn

from unimma.encoders.cav_mae_branches import (
    DECODER,
    HEAD,
    PUBLISHED_DECODER_HEADS,
    PUBLISHED_HEADS,
    Block,
    CAVMAEBranches,
    Way,
    linear,
    positions,
    token,
)
from unimma.encoders.cav_mae_checkpoint import CAVMAEConfig, State, read_sizes, read_state
from unimma.encoders.cav_mae_front_end import log_mel
from unimma.encoders.cav_mae_pretraining import (
    Mask,
    contrastive_loss,
    gather_tokens,
    mask_by_noise,
    patchify,
    reconstruction_loss,
)
from unimma.errors import ModelError

__all__ = ["CAVMAE", "CAVMAEConfig", "CAVMAEFinetuned", "MaskedEncoding", "PretrainingLosses", "log_mel"]

Mode = Literal["multimodal", "audioonly", "videoonly", "missingaudioonly", "missingvideoonly"]


@dataclass(frozen=True)
class MaskedEncoding:
    """What is made of the patches that are kept.

    Attributes:
        latent: both together, sound first [B, Ka + Kv, D].
        latent_audio, latent_image: each alone, for the contrastive loss [B, Ka, D], [B, Kv, D].
        mask_audio, mask_image: which were kept.
    """

    latent: Tensor
    latent_audio: Tensor
    latent_image: Tensor
    mask_audio: Mask
    mask_image: Mask


@dataclass(frozen=True)
class PretrainingLosses:
    """Scalars with a gradient, but for the accuracy.

    Attributes:
        total: the sum of the next two.
        reconstruction: of both modalities, times its weight.
        contrastive: times its weight.
        audio, image: reconstruction of each, without the weight.
        accuracy: share of pairs that the contrastive part tells rightly.
    """

    total: Tensor
    reconstruction: Tensor
    contrastive: Tensor
    audio: Tensor
    image: Tensor
    accuracy: Tensor


class CAVMAE(CAVMAEBranches):
    """As it is pretrained, with a decoder; of a fine-tuned checkpoint the branches alone."""

    unused = HEAD

    def __init__(self, config: CAVMAEConfig | None = None) -> None:
        config = config or CAVMAEConfig()
        super().__init__(config)
        if not config.decoder_width:
            return
        width, grids = config.decoder_width, {"_a": config.audio_grid, "_v": config.image_grid}
        self.mask_token = token(width)
        for way, grid in grids.items():
            self.register_parameter(f"decoder_modality{way}", token(width))
            self.register_parameter(f"decoder_pos_embed{way}", positions(width, grid))
        self.decoder_embed = linear(config.width, width)
        self.decoder_blocks = nn.ModuleList(
            Block(width, config.decoder_num_heads, config.decoder_mlp_width) for _ in range(config.num_decoder_blocks)
        )
        self.decoder_norm = nn.LayerNorm(width)
        self.decoder_pred_a = linear(width, config.patch**2)
        self.decoder_pred_v = linear(width, config.patch**2 * config.num_channels)

    def encode_masked(self, fbank: Tensor, image: Tensor, mask_audio: Mask, mask_image: Mask) -> MaskedEncoding:
        """The patches that are kept: alone, and then together."""
        audio = self._own(gather_tokens(self._hear(fbank), mask_audio.keep), "_a")
        seen = self._own(gather_tokens(self._see(image), mask_image.keep), "_v")
        both = self._shared(torch.cat([audio, seen], dim=1), "")
        heard_alone, seen_alone = self._last_shared(audio, "_a"), self._last_shared(seen, "_v")
        return MaskedEncoding(both, heard_alone, seen_alone, mask_audio, mask_image)

    def decode(self, encoding: MaskedEncoding) -> tuple[Tensor, Tensor]:
        """What all patches looked like, as `patchify` lays them out: [B, La, P] and [B, Lv, P].

        Raises:
            ModelError: a checkpoint without a decoder, or whose width its heads do not share evenly.
        """
        config = self.config
        if not config.decoder_width:
            came, todo = "a CAV-MAE without a decoder", "Use a checkpoint of its pretraining."
            raise ModelError(came, "one with a decoder", todo)
        if config.decoder_width % config.decoder_num_heads:
            came = f"{config.decoder_num_heads} heads for a decoder of width {config.decoder_width}"
            raise ModelError(came, "a number that divides the width", "Give decoder_num_heads as it was trained.")
        num_audio = encoding.mask_audio.restore.shape[1]
        audio, seen = self.decoder_embed(encoding.latent).split(
            [encoding.mask_audio.keep.shape[1], encoding.mask_image.keep.shape[1]], dim=1
        )
        ways: list[tuple[Way, Tensor, Mask]] = [("_a", audio, encoding.mask_audio), ("_v", seen, encoding.mask_image)]
        tokens = torch.cat([self._unmask(*way) for way in ways], dim=1)
        for block in self.decoder_blocks:
            tokens = block(tokens)
        tokens = self.decoder_norm(tokens)
        return self.decoder_pred_a(tokens[:, :num_audio]), self.decoder_pred_v(tokens[:, num_audio:])

    def forward(
        self,
        fbank: Tensor,
        image: Tensor,
        *,
        noise_audio: Tensor | None = None,
        noise_image: Tensor | None = None,
        mask_ratio_audio: float = 0.75,
        mask_ratio_image: float = 0.75,
        reconstruction_weight: float = 1.0,
        contrastive_weight: float = 0.01,
        norm_pix: bool = True,
        both_ways: bool = False,
    ) -> PretrainingLosses:
        """The losses of pretraining on B pairs.

        Args:
            fbank, image: normalised, [B, T, 128] and [B, 3, H, W].
            noise_audio, noise_image: which patches are kept (`mask_by_noise`), [B, La] and [B, Lv]; None: at random.
            mask_ratio_audio, mask_ratio_image: shares that are removed.
            norm_pix: reconstruct patches of mean 0 and variance 1; off for a model that is to fill in what is missing.
            both_ways: contrast in both directions.
        """
        if noise_audio is None:
            noise_audio = torch.rand(len(fbank), math.prod(self.config.audio_grid), device=fbank.device)
        if noise_image is None:
            noise_image = torch.rand(len(image), math.prod(self.config.image_grid), device=image.device)
        mask_audio = mask_by_noise(noise_audio, mask_ratio_audio)
        mask_image = mask_by_noise(noise_image, mask_ratio_image)
        encoding = self.encode_masked(fbank, image, mask_audio, mask_image)
        heard, seen = self.decode(encoding)
        sounds, pictures = (patchify(x, self.config.patch) for x in (fbank.transpose(1, 2)[:, None], image))
        loss_audio = reconstruction_loss(sounds, heard, mask_audio.removed, norm_pix=norm_pix)
        loss_image = reconstruction_loss(pictures, seen, mask_image.removed, norm_pix=norm_pix)
        pooled = encoding.latent_audio.mean(dim=1), encoding.latent_image.mean(dim=1)
        contrastive, accuracy = contrastive_loss(*pooled, both_ways=both_ways)
        reconstruction = reconstruction_weight * (loss_audio + loss_image)
        contrastive = contrastive_weight * contrastive
        total = reconstruction + contrastive
        return PretrainingLosses(total, reconstruction, contrastive, loss_audio, loss_image, accuracy)

    def _last_shared(self, own: Tensor, way: Way) -> Tensor:
        # The original gives what a modality's own blocks make to every shared block, and keeps the last one's answer.
        for block in self.blocks_u[-1:]:
            own = block(own, way)
        return self._norm(own, way)

    def _unmask(self, way: Way, kept: Tensor, mask: Mask) -> Tensor:
        """Kept patches back in their places, the mask token in those of the removed, each told where it stands."""
        num_removed = mask.restore.shape[1] - kept.shape[1]
        filled = torch.cat([kept, self.mask_token.to(kept.dtype).expand(len(kept), num_removed, -1)], dim=1)
        placed = gather_tokens(filled, mask.restore)
        return placed + self.get_parameter(f"decoder_pos_embed{way}") + self.get_parameter(f"decoder_modality{way}")


class CAVMAEFinetuned(CAVMAEBranches):
    """As it is fine-tuned, with a classifier; there are checkpoints that hear only (modes with "audioonly")."""

    unused = DECODER

    def __init__(self, config: CAVMAEConfig) -> None:
        super().__init__(replace(config, decoder_width=0))
        self.mlp_head = _head(config)

    @classmethod
    def from_state(
        cls,
        state: State,
        num_heads: int = PUBLISHED_HEADS,
        decoder_num_heads: int = PUBLISHED_DECODER_HEADS,
        *,
        source: str = "the state dict",
    ) -> Self:
        if "mlp_head.1.bias" not in state:
            todo = "Load it as CAVMAE, or start one with CAVMAEFinetuned.from_pretrained."
            raise ModelError(f"{source} has no classifier", "a fine-tuned CAV-MAE", todo)
        return super().from_state(state, num_heads, decoder_num_heads, source=source)

    @classmethod
    def from_pretrained(cls, path: str | Path, num_classes: int, num_heads: int = PUBLISHED_HEADS) -> Self:
        """To be fine-tuned: a pretrained checkpoint's branches, and a new classifier."""
        state = dict(read_state(path))
        sizes = read_sizes(
            state, num_heads=num_heads, decoder_num_heads=PUBLISHED_DECODER_HEADS, source=Path(path).name
        )
        head = _head(replace(sizes, num_classes=num_classes))
        state |= {f"mlp_head.{name}": tensor for name, tensor in head.state_dict().items()}
        return cls.from_state(state, num_heads, source=Path(path).name)

    def forward(self, fbank: Tensor | None, image: Tensor | None, mode: Mode = "multimodal") -> Tensor:
        """Logits [B, classes], neither sigmoid nor softmax applied.

        Args:
            fbank, image: normalised, [B, T, 128] and [B, 3, H, W]; None for the one that the mode does without.
            mode: both together; one alone by a network that was fine-tuned on it alone; or one alone by a network that
                was fine-tuned on both and now misses the other.
        Raises:
            ModelError: another mode, or an input that it needs and has not.
        """
        match mode:
            case "multimodal" if fbank is not None and image is not None:
                own = [self._own(self._hear(fbank), "_a"), self._own(self._see(image), "_v")]
                pooled = self._shared(torch.cat(own, dim=1), "").mean(dim=1)
            case "audioonly" if fbank is not None:
                pooled = self.audio_features(fbank).mean(dim=1)
            case "videoonly" if image is not None:
                pooled = self.image_features(image).mean(dim=1)
            case "missingaudioonly" if fbank is not None:
                pooled = self._missing(self._own(self._hear(fbank), "_a"), "_a")
            case "missingvideoonly" if image is not None:
                pooled = self._missing(self._own(self._see(image), "_v"), "_v")
            case _:
                given = " and ".join(n for n, x in (("a sound", fbank), ("a picture", image)) if x is not None)
                came = f"{given or 'nothing'} in the mode {mode!r}"
                expected = f"what that mode needs, or one of {', '.join(get_args(Mode))}"
                raise ModelError(came, expected, "Give both, or choose another mode.")
        logits: Tensor = self.mlp_head(pooled)
        return logits

    def _missing(self, own: Tensor, way: Way) -> Tensor:
        """The mean of the way of both, gone alone, and the way of its own."""
        return (self._shared(own, "").mean(dim=1) + self._shared(own, way).mean(dim=1)) / 2


def _head(config: CAVMAEConfig) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(config.width), linear(config.width, config.num_classes))
