"""Tests of the actions for inverters in docs/battery.md: self-use undoes what other modes set."""

import re
from typing import Any

import pytest

from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script
from homeassistant.util.yaml import parse_yaml
from tests.integration.recipes import blocks

USUAL = {"forced": False, "max_charge": 5000, "max_discharge": 5000}
"""The settings of an inverter in self-use."""


class Inverter:
    """A stand-in for the actions of both integrations, following their documentation."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Register the actions."""
        self.state: dict[str, Any] = dict(USUAL)
        self.asked: list[ServiceCall] = []
        for name in (
            "huawei_solar.forcible_charge_soc",
            "huawei_solar.stop_forcible_charge",
            "number.set_value",
            "e3dc_rscp.clear_power_limits",
            "e3dc_rscp.set_power_limits",
            "e3dc_rscp.manual_charge",
        ):
            domain, _, action = name.partition(".")
            hass.services.async_register(domain, action, self._obey)

    async def _obey(self, call: ServiceCall) -> None:
        self.asked.append(call)
        match call.service:
            case "forcible_charge_soc":
                assert 12 <= call.data["target_soc"] <= 100
                self.state["forced"] = True
            case "stop_forcible_charge":
                self.state["forced"] = False
            case "set_value":
                self.state["max_discharge"] = call.data["value"]
            case "set_power_limits":
                limits = {"max_charge", "max_discharge"} & call.data.keys()
                self.state |= {name: call.data[name] for name in limits}
            case "clear_power_limits":
                self.state |= {"max_charge": 5000, "max_discharge": 5000}
            case "manual_charge":
                # It ends by itself once this energy is charged.
                assert call.data["charge_amount"] == 625


def modes(example: str) -> dict[str, str]:
    """Return the actions of an example, keyed by the mode in the comment above them."""
    parts = re.split(r"^# ([\w-]+(?: \w+)?).*\n", example, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(
    ("number", "effects"),
    [
        (0, {"Charge": {"forced": True}, "Hold": {"max_discharge": 0}}),
        (
            1,
            {
                "Charge": {},
                "Hold": {"max_discharge": 0},
                "Delay charging": {"max_charge": 0},
            },
        ),
    ],
    ids=["Huawei", "E3/DC"],
)
async def test_inverter(hass: HomeAssistant, number: int, effects) -> None:
    """Each mode sets what it should, and self-use restores the settings, whichever mode was set before."""
    inverter = Inverter(hass)
    actions = modes(blocks("docs/battery.md")[number])
    assert actions.keys() == effects.keys() | {"Self-use"}

    async def run(mode: str) -> None:
        sequence = cv.SCRIPT_SCHEMA(parse_yaml(actions[mode]))
        script = Script(hass, sequence, mode, "test")
        await script.async_run({"power": 2.5, "level": 10.2}, Context())

    for mode, effect in effects.items():
        before = len(inverter.asked)
        await run(mode)
        assert len(inverter.asked) > before
        assert inverter.state == USUAL | effect
        for other in effects:
            await run(other)
        await run("Self-use")
        assert inverter.state == USUAL
