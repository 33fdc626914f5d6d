"""The numbers of loads."""

from .loads.controls import NomosLoadNeed, load_platform

PARALLEL_UPDATES = 0

async_setup_entry = load_platform(lambda load: [NomosLoadNeed(load)])
