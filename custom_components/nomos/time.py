"""The times of loads."""

from .loads.controls import TIMES, NomosLoadTime, load_platform

PARALLEL_UPDATES = 0

async_setup_entry = load_platform(
    lambda load: [NomosLoadTime(load, one) for one in TIMES]
)
