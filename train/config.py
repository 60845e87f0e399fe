"""A training run as one TOML file: frozen dataclasses checked by Pydantic; an unknown key stops the run."""

import difflib
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from unimma.errors import ConfigError
from unimma.types import Modality

_STRICT = ConfigDict(extra="forbid")
HeadKind = Literal["none", "linear", "mlp", "adapter", "conse", "clip", "bridge"]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class DataConfig:
    """What is learned from."""

    folder: Path | None = None  # of Parquet files; None: the scene generator alone
    sets: tuple[str, ...] = ()  # stems; empty: every set in the folder
    max_rows: dict[str, PositiveInt] = field(default_factory=dict)  # by set: only that many of its train rows
    views: NonNegativeInt = 0  # varied views of each picture and sound beside the plain one
    single_view: tuple[str, ...] = ()  # sets that are seen plain only
    scene_variations: NonNegativeInt = 24  # of each generated scene's picture and sound
    scene_clips: NonNegativeInt = 4  # of each generated scene's clip
    max_sentences: PositiveInt = 60_000  # of the text-only captions


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class DistillConfig:
    """How the small sound network learns from its teacher."""

    teacher: str = "teachers"  # folder of yamnet.tflite, below the data folder
    num_windows: PositiveInt = 100_000
    epochs: PositiveInt = 7
    batch_size: PositiveInt = 128
    lr: PositiveFloat = 2e-3
    weight_decay: NonNegativeFloat = 1e-4
    seed: NonNegativeInt = 0


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class EncoderConfig:
    """One modality's encoder: `name` with its options, or `joined`, or `frames_and_sound`; none: the bundled model's.

    In the TOML file the options of a named encoder stand beside its name: name = "open-clip-image", model = "ViT-B-32".
    """

    name: str | None = None  # of the registry
    options: dict[str, Any] = field(default_factory=dict)
    joined: tuple[str, ...] = ()  # several of the registry side by side
    frames_and_sound: PositiveInt | None = None  # clips: this many frames through the image tower, and their sound
    trainable: Annotated[str, Field(pattern=r"^(frozen|all|last:[1-9]\d*)$")] = "frozen"
    lr: PositiveFloat | None = None  # peak, where it is trained; None: optim.fine_lr

    @model_validator(mode="before")
    @classmethod
    def _gather_options(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "name" not in raw or "options" in raw:
            return raw
        known = {entry.name for entry in fields(cls)}
        named = {key: value for key, value in raw.items() if key in known}
        return named | {"options": {key: value for key, value in raw.items() if key not in known}}

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum((self.name is not None, bool(self.joined), self.frames_and_sound is not None)) > 1:
            raise ValueError("one of name, joined and frames_and_sound is wanted, not several")
        return self

    @property
    def of_towers(self) -> bool:
        """Whether it is made of the model's own image and audio towers."""
        return self.frames_and_sound is not None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names in the registry; none of clips made of frames and sound."""
        return self.joined or ((self.name,) if self.name else ())

    def spec(self) -> dict[str, Any]:
        """As a checkpoint's config.json holds it; "trained" says which parameters the checkpoint carries."""
        if self.of_towers:
            return {"frames_and_sound": self.frames_and_sound}
        spec: dict[str, Any] = {"joined": list(self.joined)} if self.joined else {"name": self.name, **self.options}
        return spec if self.trainable == "frozen" else {**spec, "trained": self.trainable}


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class HeadShape:
    """One modality's head; what is left out is what fits the encoder (`unimma.heads.HeadConfig` explains each)."""

    kind: HeadKind | None = None  # None: linear for text, clip for frames and sound, conse where classes are known, mlp
    hidden: PositiveInt | None = None
    num_layers: Annotated[int, Field(ge=1, le=6)] | None = None
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    ratio: Annotated[float, Field(gt=0.0, le=1.0)] | None = None  # adapter
    num_queries: PositiveInt | None = None  # bridge
    class_names: str | None = None  # conse: a file of the data folder, a class a line, its names between commas
    lr: PositiveFloat | None = None  # peak; None: optim.fine_lr for text and clips, optim.lr for others

    def sizes(self) -> dict[str, Any]:
        """What is given of the sizes, by their names in `unimma.heads.HeadConfig`."""
        given = {name: getattr(self, name) for name in ("hidden", "num_layers", "dropout", "ratio", "num_queries")}
        return {name: value for name, value in given.items() if value is not None}


BUNDLED_ENCODERS = {
    Modality.TEXT: EncoderConfig(name="minilm"),
    Modality.IMAGE: EncoderConfig(name="efficientnet-lite2"),
    Modality.AUDIO: EncoderConfig(joined=("aisfx", "yamnet-student")),
    Modality.VIDEO: EncoderConfig(frames_and_sound=8),
}


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ModelShape:
    """What the model is made of; where nothing is said, the bundled model's parts."""

    name: str = "unimma-bundled"
    dim: PositiveInt = 384  # of the shared space
    modalities: tuple[Modality, ...] = tuple(Modality)
    encoders: dict[Modality, EncoderConfig] = field(default_factory=dict)
    heads: dict[Modality, HeadShape] = field(default_factory=dict)

    def encoder(self, modality: Modality) -> EncoderConfig:
        """As configured; where neither name, joined nor frames_and_sound is given, the bundled model's."""
        given, bundled = self.encoders.get(modality, EncoderConfig()), BUNDLED_ENCODERS[modality]
        if given.parts or given.of_towers:
            return given
        return replace(bundled, trainable=given.trainable, lr=given.lr)

    def head(self, modality: Modality) -> HeadShape:
        """As configured, or one that fits."""
        return self.heads.get(modality, HeadShape())


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PairLoss:
    """The losses of one pair of modalities, or of two views in one: each kind's weight in the sum."""

    info_nce: NonNegativeFloat = 0.0  # label-aware: rows that mean the same are positives
    siglip: NonNegativeFloat = 0.0  # label-aware too
    nt_xent: NonNegativeFloat = 0.0  # other rows of either side are negatives, labels or not
    triplet: NonNegativeFloat = 0.0  # against the hard negatives of the batch; label-aware
    margin: PositiveFloat = 0.2  # of the triplets, a difference of cosines
    negatives: Literal["hardest", "semi-hard"] = "hardest"

    @property
    def is_on(self) -> bool:
        """Whether any kind has a weight."""
        return self.info_nce + self.siglip + self.nt_xent + self.triplet > 0


THREE_WAY = "three_way"
PAIRS: dict[str, tuple[Modality, ...]] = {  # the name of a pair, and the towers it brings together
    "text_image": (Modality.TEXT, Modality.IMAGE),
    "audio_text": (Modality.AUDIO, Modality.TEXT),
    "video_text": (Modality.VIDEO, Modality.TEXT),
    "audio_image": (Modality.AUDIO, Modality.IMAGE),  # rows of one kind: what can be both heard and seen
    "text_text": (Modality.TEXT, Modality.TEXT),  # two captions of one thing
    "image_image": (Modality.IMAGE, Modality.IMAGE),  # two views of one item, no label needed
    "audio_audio": (Modality.AUDIO, Modality.AUDIO),
    THREE_WAY: (Modality.AUDIO, Modality.IMAGE, Modality.TEXT),
}
TEXT_PAIRS = {Modality.IMAGE: "text_image", Modality.AUDIO: "audio_text", Modality.VIDEO: "video_text"}
_DEFAULT_PAIRS = {"text_image": 1.0, "audio_text": 1.0, "video_text": 0.5, "text_text": 0.3}  # weights of info_nce
_DEFAULT_CLASSES = {Modality.IMAGE: 0.3, Modality.AUDIO: 0.1}


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class LossConfig:
    """The weighted sum that is minimised, a table for each pair; None stands for what the bundled model was made with.

    A pair that is left out is on with its default weight where the model has both modalities; a table of zeros turns it
    off.
    """

    text_image: PairLoss | None = None
    audio_text: PairLoss | None = None
    video_text: PairLoss | None = None
    audio_image: PairLoss | None = None
    text_text: PairLoss | None = None
    image_image: PairLoss | None = None
    audio_audio: PairLoss | None = None
    three_way: NonNegativeFloat = 0.0  # sound, picture and sentence of one kind, all against all
    image_classes: NonNegativeFloat | None = None  # KL to the picture encoder's own class probabilities (conse heads)
    audio_classes: NonNegativeFloat | None = None  # KL to the sound encoder's

    def pairs(self, modalities: Collection[Modality]) -> dict[str, PairLoss]:
        """What is on, by name, of a model of these modalities; the weight of "three_way" stands as info_nce."""
        found = {THREE_WAY: PairLoss(info_nce=self.three_way)}
        for name, both in PAIRS.items():
            default = PairLoss(info_nce=_DEFAULT_PAIRS.get(name, 0.0) if set(both) <= set(modalities) else 0.0)
            found[name] = found.get(name) or getattr(self, name) or default
        return {name: found[name] for name in PAIRS if found[name].is_on}

    def classes(self, modality: Modality) -> float:
        """The weight of the soft labels of a conse head."""
        given: float | None = getattr(self, f"{modality}_classes", None)
        return _DEFAULT_CLASSES.get(modality, 0.0) if given is None else given


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class OptimConfig:
    """How the heads are trained: AdamW on a schedule (see `train.loop.fit`)."""

    steps: PositiveInt = 3_000  # of the optimiser
    batch_size: PositiveInt = 1_024  # rows that are contrasted with each other, over all processes
    chunk_size: PositiveInt | None = None  # rows embedded at once (GradCache); None: all, which takes the most memory
    accumulate: PositiveInt = 1  # batches whose mean gradient makes a step; they are not contrasted with each other
    lr: PositiveFloat = 1e-3  # peak of the schedule
    fine_lr: PositiveFloat = 1e-4  # peak for the text and clip heads: they start out right and should not run away
    weight_decay: NonNegativeFloat = 0.02
    schedule: Literal["one-cycle", "cosine"] = "one-cycle"
    warmup: float = Field(default=0.1, ge=0.0, lt=1.0)  # share of the steps until the peak
    max_grad_norm: NonNegativeFloat = 0.0  # 0: gradients are not clipped
    ema: float = Field(default=0.0, ge=0.0, lt=1.0)  # decay of the averaged weights, which are the result; 0: none
    evaluate_every: NonNegativeInt = 0  # steps between looks at val; 0: none, and the last weights are the result
    patience: NonNegativeInt = 0  # looks without a better score before the run stops early; 0: never
    checkpoint_every: PositiveInt = 200  # steps; also what a kill costs at most
    precision: Literal["no", "bf16"] = "no"  # "bf16": embeddings in mixed precision; loss and weights stay float32
    seed: NonNegativeInt = 0


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TrainConfig:
    """Everything that decides a run."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelShape = field(default_factory=ModelShape)
    distill: DistillConfig | None = None  # None: the student stays as it starts
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)


def read_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """A run's config from its TOML file, with "section.key=value" overrides put in (values in TOML's spelling).

    Raises:
        ConfigError: no such file, no TOML, an unknown key (the nearest known one is named), a value out of range, or
            parts that do not go together.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path.name} cannot be read ({error})", "a TOML file", "Check --config.") from error
    for override in overrides:
        _put(raw, override)
    try:
        config = TypeAdapter(TrainConfig).validate_python(raw)
    except ValidationError as error:
        raise _config_error(path, error) from error
    for came, expected in contradictions(config):
        raise ConfigError(f"{path.name}: {came}", expected, "Correct the file.")
    return config


def contradictions(config: TrainConfig) -> Iterator[tuple[str, str]]:
    """What in a config does not go together: what is said, and what would."""
    shape, has = config.model, set(config.model.modalities)
    if Modality.TEXT not in has:
        yield "model.modalities without text", "text among them: everything else is learned from sentences"
    for table, tables in (("encoders", shape.encoders), ("heads", shape.heads)):
        for modality in set(tables) - has:
            yield f"model.{table}.{modality} of a model without {modality}", "it in model.modalities"
    clips = shape.encoder(Modality.VIDEO).of_towers
    if Modality.VIDEO in has and clips and not {Modality.IMAGE, Modality.AUDIO} <= has:
        yield "video as frames and sound of a model without image or audio", "these two, or another video encoder"
    yield from _contradicting_heads(shape)
    yield from _contradicting_losses(config)


def _contradicting_heads(shape: ModelShape) -> Iterator[tuple[str, str]]:
    for modality in shape.modalities:
        kind, encoder = shape.head(modality).kind, shape.encoder(modality)
        where = f"model.heads.{modality}"
        if modality is not Modality.VIDEO and encoder.of_towers:
            yield f"frames_and_sound for {modality}", "it for video"
        if encoder.of_towers and encoder.trainable != "frozen":
            yield "frames_and_sound that is trainable", "image or audio encoders that are: clips go through these"
        if kind == "clip" and not encoder.of_towers:
            yield f"{where} of kind clip", "it on frames and sound"
        if kind == "conse" and modality not in _DEFAULT_CLASSES:
            yield f"{where} of kind conse", "it on pictures or sounds"
        if kind == "bridge" and modality is Modality.TEXT:
            yield f"{where} of kind bridge", "it on pictures, sounds or clips"
        if kind == "conse" and shape.encoder(Modality.TEXT).trainable != "frozen":
            yield f"{where} of kind conse beside a text encoder that is trained", "a frozen one: it embeds the classes"
        if shape.head(modality).class_names and kind not in (None, "conse"):
            yield f"{where}.class_names for a head of kind {kind}", "them for a conse head"


def _contradicting_losses(config: TrainConfig) -> Iterator[tuple[str, str]]:
    has = set(config.model.modalities)
    on = config.loss.pairs(has)
    clips = config.model.encoder(Modality.VIDEO).of_towers
    for name in on:
        for modality in PAIRS[name]:
            if modality not in has:
                yield f"loss.{name} of a model without {modality}", "modalities that it has"
            if modality is Modality.VIDEO and clips and name != "video_text":
                yield f"loss.{name} with clips of frames and sound", "video_text"
    for name in {"image_image", "audio_audio"} & set(on):
        if config.data.views == 0:
            yield f"loss.{name} with data.views = 0", "one varied view of each item or more"
    for modality in _DEFAULT_CLASSES:
        kind, pair = config.model.head(modality).kind, TEXT_PAIRS[modality]
        if not getattr(config.loss, f"{modality}_classes"):
            continue
        if modality not in has or kind not in (None, "conse"):
            yield f"loss.{modality}_classes without a conse head on {modality}", "such a head"
        if pair not in on:
            yield f"loss.{modality}_classes without loss.{pair}", "both: the soft labels are of its rows"
    if not on:
        yield "no loss with a weight above 0", "one at least"


def _put(raw: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = key.strip().split(".")
    if not equals:
        raise ConfigError(f"--set {override}", "section.key=value", "Write for example --set optim.steps=100.")
    for section in sections:
        raw = raw.setdefault(section, {})
        if not isinstance(raw, dict):
            raise ConfigError(f"--set {override}", f"a table {section}, not a value", "Check the key.")
    try:
        raw[last] = tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        raw[last] = value  # a bare word is a string


def _config_error(path: Path, error: ValidationError) -> ConfigError:
    lines = []
    for mistake in error.errors():
        where = ".".join(str(part) for part in mistake["loc"] if part != "[key]")
        near = difflib.get_close_matches(where, _known_keys(TrainConfig), n=1)
        hint = f" (nearest known key: {near[0]})" if near and mistake["type"] == "unexpected_keyword_argument" else ""
        said = mistake["msg"].removeprefix("Value error, ")
        lines.append(f"{where}: {said[0].lower()}{said[1:]}{hint}")
    return ConfigError(f"{path.name}: {'; '.join(lines)}", "known keys with values in range", "Correct the file.")


def _known_keys(config: type, prefix: str = "") -> list[str]:
    keys = []
    for entry in fields(config):
        keys.append(prefix + entry.name)
        inner = next((each for each in (entry.type, *get_args(entry.type)) if is_dataclass(each)), None)
        by_modality = Modality in get_args(entry.type)
        for between in [f"{modality}." for modality in Modality] if by_modality else [""]:
            if isinstance(inner, type):
                keys += _known_keys(inner, f"{prefix}{entry.name}.{between}")
    return keys
