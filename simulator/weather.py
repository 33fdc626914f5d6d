"""Daily peaks, seasons and sunshine, which shape both the market's prices and the households' energy."""

from datetime import datetime
import math

from . import noise


def peak(hour: float, centre: float, width: float) -> float:
    """Return the height (0 to 1) at an hour of a peak that is centred on another hour."""
    return math.exp(-(((hour - centre) / width) ** 2))


def summer(local: datetime) -> float:
    """Return the season of a local time: 0 in midwinter, 1 in midsummer."""
    return 0.5 - 0.5 * math.cos(
        2 * math.pi * (local.timetuple().tm_yday / 365.25 - 0.03)
    )


def sunshine(seed: int, position: float) -> float:
    """Return how clear the sky is (0 to 1) at a position in days; it changes about every second day."""
    return math.pow(noise.smooth(seed, "sun", position / 2), 0.7)


def daylight(hour: float, season: float) -> float:
    """Return the sun's strength (0 to 1) in a clear sky at an hour of a season."""
    noon, half = 12.6 + 0.6 * season, 4.1 + 3.9 * season
    if abs(hour - noon) >= half:
        return 0.0
    return math.pow(math.cos(math.pi / 2 * (hour - noon) / half), 1.3)
