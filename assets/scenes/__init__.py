"""Scenes that can be drawn, animated, synthesised and told, with endless variations: `SCENES`."""

from assets.scenes import farm, outdoors, pets, vehicles, water, weather
from assets.scenes.scene import Scene

__all__ = ["SCENES", "Scene"]

SCENES: tuple[Scene, ...] = (
    *weather.SCENES,
    *pets.SCENES,
    *farm.SCENES,
    *vehicles.SCENES,
    *water.SCENES,
    *outdoors.SCENES,
)
