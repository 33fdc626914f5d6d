"""The buttons of loads."""

from .loads.controls import BUTTONS, NomosLoadButton, load_platform

PARALLEL_UPDATES = 0

async_setup_entry = load_platform(
    lambda load: [NomosLoadButton(load, one) for one in BUTTONS]
)
