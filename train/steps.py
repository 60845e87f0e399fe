"""What is minimised: losses over pairs of modalities, as the loop asks for them."""

import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.config import TrainConfig
from train.drawing import Draft, Supply, draft, keys, lacking, medium, wrong_key
from train.evaluate.ridge import fit_ridge
from train.features import on_features
from train.material import Material
from train.problem import Batch, ParamGroup, Problem
from train.teaching import CLASS_TEMPERATURE, TeacherTerms
from train.weights import PAIRS, TEXT_PAIRS, THREE_WAY, PairLoss
from unimma.augment import drop_tokens
from unimma.encoders.base import Prepared
from unimma.encoders.trained import trained_parameters
from unimma.errors import ConfigError
from unimma.heads import ConseHead, LinearHead, Standardise
from unimma.losses import (
    LogitBias,
    LogitScale,
    feature_cosine,
    info_nce,
    nt_xent,
    sigmoid_loss,
    soft_label_kl,
    three_way,
    triplet_loss,
)
from unimma.model import Tower, UniMMA
from unimma.types import Modality, Text

log = logging.getLogger(__name__)
SIGLIP_TEMPERATURE = 0.1  # at first, as in the paper
DECODING_THREADS = 2
# Of the ridge regression that a conse head starts with. Held-out rows of the training classes would choose far less;
# new sentences and new classes fare better with more.
LINEAR_STRENGTH = 0.25
CHUNK_ROWS = 64  # embedded at once while scoring
SCORED_ROWS = 1_000  # of each modality, at most


class PairTerms(nn.Module):
    """The weighted losses of one pair, and the scales that are learned with them."""

    def __init__(self, name: str, loss: PairLoss) -> None:
        super().__init__()
        self.name, self.weights = name, loss
        self.scale = LogitScale()
        if loss.siglip:
            self.siglip_scale, self.siglip_bias = LogitScale(SIGLIP_TEMPERATURE), LogitBias()

    def forward(
        self, sides: list[Tensor], meaning: Tensor, wrong: Tensor | None = None, known: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Unit rows of each side, [n, D], and codes [n] that rows of the same meaning share → terms by name.

        Args:
            wrong: unit rows of wrong sentences, [n * k, D], the k of the first row of the medium first.
            known: bool [n, k], which of them there are.
        """
        weights, same = self.weights, meaning[:, None] == meaning[None, :]
        if self.name == THREE_WAY:
            audio, image, text = sides
            return {THREE_WAY: weights.info_nce * three_way(audio, image, text, self.scale(), same)}
        one, other = sides
        terms = {}
        if weights.info_nce and wrong is not None and known is not None:
            seen, said = (other, one) if PAIRS[self.name][0] is Modality.TEXT else (one, other)
            near = wrong.view(*known.shape, -1)
            term = info_nce(seen, said, self.scale(), same, wrong_QKD=near, known_QK=known)
            terms["info_nce"] = weights.info_nce * term
        elif weights.info_nce:
            terms["info_nce"] = weights.info_nce * info_nce(one, other, self.scale(), same)
        if weights.siglip:
            judged = sigmoid_loss(one, other, self.siglip_scale(), self.siglip_bias(), same)
            terms["siglip"] = weights.siglip * judged
        if weights.nt_xent:
            terms["nt_xent"] = weights.nt_xent * nt_xent(one, other, self.scale())
        if weights.triplet:
            far = triplet_loss(one, other, same, margin=weights.margin, negatives=weights.negatives)
            terms["triplet"] = weights.triplet * far
        return {f"{self.name}/{kind}": term for kind, term in terms.items()}


class Objective(Problem):
    """The towers that are trained, the losses between them, and the scales that are learned with these.

    A tower is its head on features of a frozen encoder, or, where the encoder is trained too, the whole way from the
    decoded item. Encoders stay in eval mode: batch norms keep their statistics, and nothing is dropped out.

    Args:
        model: whose towers are trained, in place.
        trained: of these modalities; other towers that a pair needs stay as they are.
        supply: what is drawn from.
        pairs: what is minimised (`LossConfig.pairs`); each has a trained tower.
        config: of the run.
        fingerprint: of everything else that decides the run.
    Raises:
        ConfigError: a pair for which there is nothing to learn from.
    """

    def __init__(
        self,
        model: UniMMA,
        trained: Collection[Modality],
        supply: Supply,
        pairs: Mapping[str, PairLoss],
        config: TrainConfig,
        fingerprint: str = "",
    ) -> None:
        super().__init__(fingerprint)
        for name, pair in pairs.items():
            if missing := lacking(name, supply, pair.hard_negatives):
                raise ConfigError(
                    f"loss.{name} without {missing}", "something to learn from", "Add it, or set it to 0."
                )
        self.towers: dict[Modality, Tower] = dict(model.towers)
        self.trained = [modality for modality in model.towers if modality in trained]
        self.live = [m for m in self.trained if config.model.encoder(m).trainable != "frozen"]
        self.supply, self.config = supply, config
        self.heads = nn.ModuleDict({str(m): self.towers[m].head for m in self.trained})
        self.networks = nn.ModuleDict({str(m): self.towers[m].encoder.network for m in self.live})
        self.networks.requires_grad_(False)
        for modality in self.live:
            for parameter in self._encoder_parameters(modality):
                parameter.requires_grad_(True)
        self.pairs = nn.ModuleDict({name: PairTerms(name, pair) for name, pair in pairs.items()})
        self.hard_negatives = {name: pair.hard_negatives for name, pair in pairs.items()}
        self.means = {  # by the pair whose rows are held against the mean of their sentences, too
            name: (seen, pair.mean_cosine)
            for name, pair in pairs.items()
            if pair.mean_cosine and (seen := medium(name))
        }
        self.class_weights = {  # by the pair whose rows the soft labels are of
            name: (seen, config.loss.classes(seen))
            for name in pairs
            if (seen := medium(name)) and isinstance(self.towers[seen].head, ConseHead) and config.loss.classes(seen)
        }
        self.class_scales = nn.ModuleDict({name: LogitScale(CLASS_TEMPERATURE) for name in self.class_weights})
        self.teachers = [
            TeacherTerms(loss, model.dim, supply.media[loss.modality].taught[loss.name], classes)
            for loss, classes in zip(config.loss.teachers, supply.teacher_classes, strict=True)
        ]
        self.teaching = nn.ModuleList(self.teachers)
        for material in supply.media.values():
            self.skipped |= material.skipped

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.networks.eval()
        return self

    def draw(self, rng: np.random.Generator) -> Batch:
        """Rows of each pair: of pictures with their sentences as many as batch_size says, of others half as many."""
        inputs: dict[str, Tensor] = {}
        facts: dict[str, Tensor] = {}
        for name in self.pairs:
            whole = self.config.optim.batch_size
            count = whole if name == "text_image" else max(1, whole // 2)
            drawn = draft(name, self.supply, count, rng, self.hard_negatives[name])
            facts[f"{name}/meaning"] = drawn.meaning
            if drawn.known is not None:
                facts[f"{name}/known"] = drawn.known
            for key, rows in drawn.inputs.items():
                if _tower(key) in self.trained:
                    inputs[key] = rows
                else:
                    facts[key] = self._as_it_is(key, rows)
            if name in self.means and drawn.media is not None:
                told = self.supply.media[self.means[name][0]].sentences
                inputs[_mean_key(name)] = self.supply.say_all([told[row] for row in drawn.media.rows])
            if name in self.class_weights:
                facts[f"{name}/classes"] = self._class_probabilities(name, drawn)
            facts |= self._taught(name, drawn)
        return Batch(inputs, facts)

    def embed(self, key: str, rows: Tensor) -> Tensor:
        return self.embed_from(self.supply, _tower(key), rows)

    def embed_from(self, supply: Supply, modality: Modality, rows: Tensor) -> Tensor:
        """Rows of a supply as the tower takes them (features, or numbers of what is decoded) → unit rows [n, D]."""
        tower = self.towers[modality]
        if modality not in self.live:
            return on_features(tower.head, rows)

        share, seed = self.config.model.encoder(modality).token_dropout, torch.initial_seed()
        losing: str = getattr(tower.encoder, "loses_tokens", "") if self.training and share else ""

        def prepare(place: int, row: int) -> Prepared:
            is_text = modality is Modality.TEXT
            item = Text(supply.sentences[row]) if is_text else supply.media[modality].decode(row)
            prepared = tower.encoder.prepare(item)
            return _without_tokens(prepared, losing, share, (seed, place)) if losing else prepared

        with ThreadPoolExecutor(max_workers=DECODING_THREADS) as pool:
            z: Tensor = tower(list(pool.map(prepare, range(len(rows)), rows.tolist())))
        return z

    def loss(self, z: Mapping[str, Tensor], batch: Batch) -> Mapping[str, Tensor]:
        z = {**batch.facts, **z}
        terms: dict[str, Tensor] = {}
        for name, pair in self.pairs.items():
            wrong, known = z.get(wrong_key(name)), batch.facts.get(f"{name}/known")
            terms |= pair([z[key] for key in keys(name)], batch.facts[f"{name}/meaning"], wrong, known)
        for name, (seen, weight) in self.means.items():
            terms[f"{name}/mean_cosine"] = weight * feature_cosine(z[f"{seen}/{name}"], z[_mean_key(name)])
        for name, (seen, weight) in self.class_weights.items():
            classes = self.towers[seen].head.get_buffer("class_embeddings")
            scale = self.class_scales[name]()
            said = soft_label_kl(z[f"{seen}/{name}"], classes, batch.facts[f"{name}/classes"], scale)
            terms[f"{seen}_classes"] = weight * said
        for teacher in self.teachers:
            modality = teacher.loss.modality
            taught = batch.facts[f"{modality}/{teacher.loss.name}"]
            terms |= teacher(z[f"{modality}/{TEXT_PAIRS[modality]}"], taught)
        return terms

    def groups(self) -> list[ParamGroup]:
        """The head and, where it is trained, the encoder of each modality; then what is learned beside the towers."""
        optim, groups = self.config.optim, []
        for modality in self.trained:
            shape, encoder = self.config.model.head(modality), self.config.model.encoder(modality)
            is_text = modality is Modality.TEXT
            lr = shape.lr or (optim.fine_lr if is_text or encoder.of_towers else optim.lr)
            decay = 0.0 if is_text else optim.weight_decay
            head = self.towers[modality].head
            linear = [*head.linear.parameters()] if isinstance(head, ConseHead) else []
            rest = [p for p in head.parameters() if all(p is not known for known in linear)]
            groups.append(ParamGroup(f"{modality} head", rest, lr, decay))
            if linear:  # it starts right: see fit_statistics
                groups.append(ParamGroup(f"{modality} linear", linear, min(lr, optim.fine_lr), decay))
            if modality in self.live:
                own = self._encoder_parameters(modality)
                lr = encoder.lr or optim.fine_lr
                groups.append(ParamGroup(f"{modality} encoder", own, lr, optim.weight_decay))
        beside = [p for part in (self.pairs, self.class_scales, self.teaching) for p in part.parameters()]
        return [*groups, ParamGroup("beside", beside, optim.lr)]

    @torch.no_grad()
    def before_step(self) -> None:
        """Embed the class sentences with today's text head: they are part of the picture and sound heads."""
        text = self.towers[Modality.TEXT].head
        was_training = text.training
        text.eval()
        for modality in self.trained:
            head = self.towers[modality].head
            if isinstance(head, ConseHead):
                head.set_classes(text(self.supply.classes[modality].to(head.log_mix.device)))
        for teacher in self.teachers:
            teacher.refresh(text)
        text.train(was_training)

    def logit_scales(self) -> Mapping[str, Tensor]:
        found = {name: pair.get_submodule("scale")().detach() for name, pair in self.pairs.items()}
        return found | {f"{name}/classes": scale().detach() for name, scale in self.class_scales.items()}

    @torch.no_grad()
    def score(self, val: Supply) -> float:
        """Mean Recall@1 over the trained media and both ways between media and sentences of `val`, in [0, 1].

        Of a medium at most 1,000 rows, always the same, with one sentence each; any row or sentence of the same meaning
        counts as found.
        """
        shares = []
        for modality, material in val.media.items():
            rng = np.random.default_rng(0)
            rows = np.sort(rng.choice(len(material), min(SCORED_ROWS, len(material)), replace=False))
            drawn = material.take(rows[material.told[rows] > 0], rng)
            media = self._embed_all(val, modality, drawn.inputs)
            said = self._embed_all(val, Modality.TEXT, val.say(drawn.said))
            found = media @ said.T
            meaning = drawn.meaning.to(found.device)
            for best in (found.argmax(dim=1), found.argmax(dim=0)):
                shares.append((meaning[best] == meaning).float().mean().item())
        return float(np.mean(shares))

    def _embed_all(self, supply: Supply, modality: Modality, rows: Tensor) -> Tensor:
        device = next(self.parameters()).device
        return torch.cat([self.embed_from(supply, modality, part.to(device)) for part in rows.split(CHUNK_ROWS)])

    @torch.no_grad()
    def _as_it_is(self, key: str, rows: Tensor) -> Tensor:
        """Embeddings by a tower that is not trained here, on the CPU."""
        head = self.towers[_tower(key)].head
        device = next((parameter.device for parameter in head.parameters()), torch.device("cpu"))
        return on_features(head, rows.to(device)).cpu()

    def _class_probabilities(self, name: str, drawn: Draft) -> Tensor:
        """What the encoder, as it was before training, takes the drawn rows for: float32 [n, C]."""
        assert drawn.media is not None
        seen, _ = self.class_weights[name]
        num_classes = len(self.supply.classes[seen])
        return torch.softmax(self.supply.media[seen].features[drawn.media.rows, -num_classes:].float(), dim=1)

    def _taught(self, name: str, drawn: Draft) -> dict[str, Tensor]:
        """What the teachers say of the drawn rows, float32 [n, T] by modality and teacher."""
        seen = medium(name)
        if seen is None or drawn.media is None:
            return {}
        return {f"{seen}/{who}": said[drawn.media.rows].float() for who, said in self.supply.media[seen].taught.items()}

    def _encoder_parameters(self, modality: Modality) -> list[nn.Parameter]:
        extent = self.config.model.encoder(modality).trainable
        return list(trained_parameters(self.towers[modality].encoder, extent).values())


def fit_statistics(
    head: nn.Module, features: Tensor, material: Material | None = None, text: Tensor | None = None
) -> None:
    """Take what is known in closed form into a head before its first step, as far as it has a place for it.

    The training set's centre and deviations; of a conse head also the linear map, by ridge regression from the features
    to the mean of each row's sentences.

    Args:
        features: [n, F], of the encoder that the head stands on.
        material: the rows that the features are of, where they have sentences.
        text: embeddings of all sentences, float32 [m, D], by the text head as it starts.
    """
    if isinstance(head, LinearHead):
        head.get_buffer("centre").copy_(features.float().mean(dim=0))
    standardise = getattr(head, "standardise", None)
    if isinstance(standardise, Standardise):
        standardise.fit(features[:, : len(standardise.get_buffer("mean"))].float())
    if isinstance(head, ConseHead) and material is not None and text is not None:
        _fit_linear(head, features, material, text)


@torch.no_grad()
def _fit_linear(head: ConseHead, features: Tensor, material: Material, text: Tensor) -> None:
    told = np.flatnonzero(material.told)
    targets = torch.stack([text[material.sentences[int(row)]].mean(dim=0) for row in told])
    weights = material.told[told] / material.told[told].mean()
    seen = features[told, : -head.num_classes].numpy()
    ridge = fit_ridge(seen, F.normalize(targets, dim=1).numpy(), weights, LINEAR_STRENGTH)
    log.info("ridge regression on %d rows", len(told))
    head.standardise.get_buffer("mean").copy_(torch.from_numpy(ridge.mean))
    head.standardise.get_buffer("scale").copy_(torch.from_numpy(1.0 / ridge.scale))
    # As long as the embeddings that it stands for, so that what the MLP adds is small at first.
    length = float(np.linalg.norm(ridge(seen[:: max(1, len(seen) // 1_000)]), axis=1).mean())
    head.linear.weight.copy_(torch.from_numpy(ridge.weight.T / length))
    head.linear.bias.copy_(torch.from_numpy(ridge.bias / length))


def _without_tokens(prepared: Prepared, key: str, share: float, seed: Sequence[int]) -> Prepared:
    """A text as its encoder takes it, without about that share of the tokens under `key`."""
    kept = drop_tokens(prepared[key].numpy(), np.random.default_rng(seed), share)
    return {**prepared, key: torch.from_numpy(kept)}


def _mean_key(name: str) -> str:
    return f"{Modality.TEXT}/{name}/mean"


def _tower(key: str) -> Modality:
    return Modality(key.partition("/")[0])
