"""The switches of loads."""

from .loads.controls import PLANNED, NomosLoadSwitch, load_platform

PARALLEL_UPDATES = 0

async_setup_entry = load_platform(lambda load: [NomosLoadSwitch(load, PLANNED)])
