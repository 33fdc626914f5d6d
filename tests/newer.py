"""Make the test plugin work with a newer Home Assistant than the one it was made for.

pytest loads this before the plugin (`addopts` in pyproject.toml). Delete it once there is a plugin for 2026.11.
"""

# In the plugin's order: it patches the recorder before anything imports it. The plugin imports httpx before Home
# Assistant, but since 2026.11 Home Assistant replaces httpx by httpx2 and has to be imported first.
from pytest_homeassistant_custom_component import patch_json, patch_recorder, patch_time  # noqa: F401

from homeassistant.components import logger
from homeassistant.components.logger.helpers import _clear_logger_overwrites

# The plugin imports it from a module that no longer has it in 2026.11.
vars(logger)["_clear_logger_overwrites"] = _clear_logger_overwrites
