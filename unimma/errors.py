"""The errors that a person or a file can cause: each says what came, what was expected, what to do.

UnimmaError
├── MediaError    a file or sentence that cannot be used
├── ModelError    a model, encoder or checkpoint that cannot be found, loaded or combined
├── GalleryError  a gallery folder that is locked, damaged or made with another model
└── ConfigError   an option, environment variable or config file that makes no sense
"""


class UnimmaError(Exception):
    """One clear sentence for the person who can do something about it.

    Args:
        came: what was given, named without any folder ("rain.wav: no audio stream").
        expected: what would have worked ("one audio stream or more").
        todo: the next step, a whole sentence ("Add it as a video.").
    """

    def __init__(self, came: str, expected: str, todo: str) -> None:
        super().__init__(came, expected, todo)  # positional, so that it pickles out of a worker process
        self.came, self.expected, self.todo = came, expected, todo

    def __str__(self) -> str:
        return f"{self.came}; expected {self.expected}. {self.todo}"


class MediaError(UnimmaError):
    """A file or sentence that cannot be decoded, is over a limit, empty, or of the wrong kind."""


class ModelError(UnimmaError):
    """A model, encoder or checkpoint that cannot be found, loaded or combined."""


class GalleryError(UnimmaError):
    """A gallery folder that is locked, damaged, or made with another model."""


class ConfigError(UnimmaError):
    """An option, environment variable or config file that makes no sense."""
