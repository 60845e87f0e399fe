"""The [model] part of a config: encoders, heads, and what of them is trained."""

from dataclasses import field, fields, replace
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt, model_validator
from pydantic.dataclasses import dataclass

from unimma.types import Modality

STRICT = ConfigDict(extra="forbid")
HeadKind = Literal["none", "linear", "mlp", "adapter", "conse", "clip", "bridge"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
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
    token_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0  # share of a text's tokens, where it is trained

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


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
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
        return replace(bundled, trainable=given.trainable, lr=given.lr, token_dropout=given.token_dropout)

    def head(self, modality: Modality) -> HeadShape:
        """As configured, or one that fits."""
        return self.heads.get(modality, HeadShape())
