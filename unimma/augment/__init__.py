"""Label-free variations of decoded media and of what is said of them: an item seen, heard or told a little differently.

Pure functions of an item and a random generator; the item itself is never changed.
"""

from unimma.augment.audio import add_noise, low_pass, vary_audio
from unimma.augment.image import vary_image

__all__ = ["add_noise", "low_pass", "vary_audio", "vary_image"]
