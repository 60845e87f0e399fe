"""Scenes that can be drawn, animated, synthesised and told, with endless variations: `SCENES`."""

from assets.scenes import (
    aircraft,
    farm,
    home,
    household,
    indoors,
    night,
    outdoors,
    pets,
    traffic,
    vehicles,
    water,
    weather,
)
from assets.scenes.scene import Scene

__all__ = ["SCENES", "Scene"]

SCENES: tuple[Scene, ...] = (
    *weather.SCENES,
    *water.SCENES,
    *outdoors.SCENES,
    *night.SCENES,
    *pets.SCENES,
    *farm.SCENES,
    *traffic.SCENES,
    *vehicles.SCENES,
    *aircraft.SCENES,
    *home.SCENES,
    *household.SCENES,
    *indoors.SCENES,
)
