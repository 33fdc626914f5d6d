"""Let the test plugin run with a Home Assistant that is newer than the one that it was made for.

pytest loads this before the plugin (`addopts` in pyproject.toml). It goes when the plugin is raised to one for 2026.11.
"""

# In the order of the plugin: it patches the recorder before anything imports that. And it imports httpx before Home
# Assistant, which since 2026.11 puts httpx2 in the place of httpx and must come first.
from pytest_homeassistant_custom_component import patch_json, patch_recorder, patch_time  # noqa: F401

from homeassistant.components import logger
from homeassistant.components.logger.helpers import _clear_logger_overwrites

# The plugin imports it from here, which 2026.11 does not.
vars(logger)["_clear_logger_overwrites"] = _clear_logger_overwrites
