"""The prices of a contract as a picture, light or dark, for notifications and e-paper."""

from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.importlib import async_import_module
from homeassistant.util import dt as dt_util

from .card.drawing import ChartOptions, chart
from .prices.coordinator import PriceCoordinator
from .prices.entity import NomosEntity
from .pricing import local_date
from .runtime import NomosConfigEntry

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0


IMAGES: Final = tuple(
    ImageEntityDescription(
        key=key, translation_key=key, entity_registry_enabled_default=False
    )
    for key in ("chart_light", "chart_dark")
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NomosConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the pictures of all contracts, including those that appear later."""

    @callback
    def add(coordinator: PriceCoordinator) -> None:
        async_add_entities(NomosImage(hass, coordinator, one) for one in IMAGES)

    entry.runtime_data.async_each_contract(add)


class NomosImage(NomosEntity, ImageEntity):
    """The prices of today and tomorrow, drawn on request and at most once for each interval."""

    _attr_content_type = "image/png"

    _content: object = None
    _drawn: bytes | None = None

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: PriceCoordinator,
        description: ImageEntityDescription,
    ) -> None:
        """Draw nothing yet."""
        ImageEntity.__init__(self, hass)
        super().__init__(coordinator, description)

    @override
    def _is_available(self, now: datetime) -> bool:
        return self.coordinator.data.spans(now)

    @override
    def _read_value(self, now: datetime) -> object:
        table, today = self.coordinator.data, local_date(now)
        tomorrow = today + timedelta(days=1)
        content = (table.day(today), table.day(tomorrow), table.at(now))
        if content != self._content:
            self._content, self._drawn = content, None
            self._attr_image_last_updated = now
        return self._content

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture as a PNG; None if there are no prices or no font."""
        self._read()
        if (png := self._drawn) is None:
            content, png = self._content, await self._async_draw()
            if content is self._content:
                self._drawn = png
        return png

    async def _async_draw(self) -> bytes | None:
        now, levels = dt_util.utcnow(), self.coordinator.levels
        if not self._is_available(now):
            return None

        def draw() -> bytes | None:
            drawn = chart(
                levels, now, ChartOptions(), pays=self.coordinator.contract.feeds_in
            )
            dark = self.entity_description.key == "chart_dark"
            png: bytes | None = picture.draw(
                drawn, now, self.hass.config.language, dark=dark
            )
            return png

        try:
            picture = await async_import_module(
                self.hass, f"{__package__}.card.picture"
            )
            return await self.hass.async_add_executor_job(draw)
        except (ImportError, OSError) as error:
            # A hub without Home Assistant's frontend has no font.
            _LOGGER.warning(
                "The picture of the prices cannot be drawn: %s", type(error).__name__
            )
            return None
