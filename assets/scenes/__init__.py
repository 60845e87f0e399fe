"""Scenes that can be drawn, animated, synthesised and told, with endless variations: `SCENES`."""

from assets.scenes import (
    aircraft,
    baby,
    cat,
    dog,
    farm,
    home,
    household,
    indoors,
    night,
    outdoors,
    rooster,
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
    *dog.SCENES,
    *cat.SCENES,
    *baby.SCENES,
    *farm.SCENES,
    *rooster.SCENES,
    *traffic.SCENES,
    *vehicles.SCENES,
    *aircraft.SCENES,
    *home.SCENES,
    *household.SCENES,
    *indoors.SCENES,
)
