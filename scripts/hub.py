"""A real Home Assistant in its own process, with this integration installed.

It is configured to listen on this machine only, to onboard nothing but the first user, and to need no internet.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import fcntl
from importlib.util import find_spec
import json
import os
from pathlib import Path
import shutil
import sys
from typing import Any

import aiohttp

from scripts.hub_client import HubClient, HubError
from scripts.processes import Child, ChildError

PROJECT = Path(__file__).resolve().parent.parent
INTEGRATION = PROJECT / "custom_components" / "nomos"

# The exit code after Home Assistant's restart button was pressed.
RESTART_EXIT_CODE = 100

# A lock file of a running Home Assistant, with its process id.
LOCK = ".ha_run.lock"

# default_config without components that search for devices, use the internet or need other programs. Scripts, helpers
# and diagnostics are loaded as dependencies.
INTEGRATIONS = (
    "config",
    "energy",
    "frontend",
    "history",
    "logbook",
    "sun",
    "system_log",
    "webhook",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HubSettings:
    """How to configure a Home Assistant."""

    folder: Path
    port: int
    api_url: str
    language: str = "en"
    log_level: str = "debug"  # of the integration
    my: bool = (
        False  # OAuth redirects through my.home-assistant.io, as default_config has it
    )
    extra_integrations: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def write_configuration(settings: HubSettings) -> None:
    """Create the configuration folder, or update an existing one to the settings."""
    folder = settings.folder
    (folder / ".storage").mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(_configuration_yaml(settings))
    if not (automations := folder / "automations.yaml").exists():
        automations.write_text("[]\n")
    # Not `http:` in YAML, which Home Assistant treats as a trial and reverts by a restart after five minutes.
    _write_store(
        folder,
        "http",
        {
            "stable": {
                "server_host": ["127.0.0.1"],
                "server_port": settings.port,
                "cors_allowed_origins": ["https://cast.home-assistant.io"],
                "login_attempts_threshold": -1,
                "ip_ban_enabled": True,
                "ssl_profile": "modern",
                "use_x_frame_options": True,
                "created_at": "2026-01-01T00:00:00+00:00",
                "error": None,
                "error_message": None,
            },
            "pending": None,
            "yaml_migration_done": True,
        },
        version=(2, 2),
    )
    if not (folder / ".storage" / "onboarding").exists():
        # Only the step of the first user is left, since the others search for devices and use the internet.
        _write_store(
            folder,
            "onboarding",
            {"done": ["core_config", "analytics", "integration"]},
            version=(4, 1),
        )
    install_integration(folder)


def install_integration(folder: Path) -> None:
    """Install the integration in a configuration folder, as a link to the sources if possible."""
    target = folder / "custom_components" / INTEGRATION.name
    target.parent.mkdir(exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
    if not INTEGRATION.is_dir():
        return
    try:
        target.symlink_to(INTEGRATION, target_is_directory=True)
    except OSError:  # a file system without links
        shutil.copytree(
            INTEGRATION, target, ignore=shutil.ignore_patterns("__pycache__")
        )


def _configuration_yaml(settings: HubSettings) -> str:
    integrations = [*INTEGRATIONS, *settings.extra_integrations]
    if settings.my:
        integrations.append("my")
    listed = "".join(f"{name}:\n" for name in integrations)
    return f"""\
homeassistant:
  name: Zuhause
  latitude: 52.52
  longitude: 13.405
  elevation: 34
  radius: 100
  unit_system: metric
  currency: EUR
  country: DE
  language: {settings.language}
  time_zone: Europe/Berlin
  internal_url: http://127.0.0.1:{settings.port}
{listed}automation: !include automations.yaml
recorder:
  commit_interval: 1
logger:
  default: warning
  logs:
    homeassistant.bootstrap: info
    homeassistant.helpers.config_entry_oauth2_flow: {settings.log_level}
    custom_components.nomos: {settings.log_level}
    # Programs that a camera or a voice assistant would need, and this machine may not have.
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""


def _write_store(
    folder: Path, key: str, data: dict[str, Any], *, version: tuple[int, int]
) -> None:
    store = {
        "version": version[0],
        "minor_version": version[1],
        "key": key,
        "data": data,
    }
    (folder / ".storage" / key).write_text(json.dumps(store, indent=2))


class Hub:
    """A Home Assistant process that can be started, waited for, stopped and killed."""

    def __init__(self, settings: HubSettings) -> None:
        """Prepare the process; start() starts it."""
        self.settings = settings
        self.child: Child | None = None
        self.log = settings.folder / "hass.log"

    @property
    def url(self) -> str:
        """The URL of its pages."""
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def is_onboarded(self) -> bool:
        """Whether its folder has a user, from this or an earlier run."""
        return (
            self.settings.folder / ".storage" / "auth_provider.homeassistant"
        ).exists()

    def running(self) -> int | None:
        """Return the process that runs in the folder, whoever started it; 0 if its id is unknown."""
        try:
            with (self.settings.folder / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                known = json.loads((self.settings.folder / LOCK).read_text())
                return int(known["pid"])
            except OSError, ValueError, TypeError, KeyError:
                return 0
        except OSError:
            pass
        return None

    def spawn(self) -> Child:
        """Update the configuration folder and start the process, without waiting for it."""
        write_configuration(self.settings)
        command = [
            sys.executable,
            "-m",
            "homeassistant",
            "--config",
            str(self.settings.folder),
        ]
        command += ["--skip-pip", "--ignore-os-check", "--log-no-color"]
        self.child = Child(
            "Home Assistant",
            command,
            log=self.log,
            cwd=self.settings.folder,
            env=self._environment(),
        )
        return self.child

    def _environment(self) -> dict[str, str]:
        environment = {
            "NOMOS_API_URL": self.settings.api_url,
            **self.settings.environment,
        }
        if find_spec("pymicro_vad") is None or find_spec("pyspeex_noise") is None:
            paths = [str(PROJECT / "scripts" / "stub_wheels")]
            if "PYTHONPATH" in environment:
                paths.append(environment["PYTHONPATH"])
            environment["PYTHONPATH"] = os.pathsep.join(paths)
        return environment

    async def start(self) -> None:
        """Start the process and wait until it serves."""
        child = self.spawn()
        try:
            await self.wait_until_serving()
        except BaseException:
            child.kill()
            raise

    async def wait_until_serving(self, *, timeout: float = 90) -> None:
        """Wait until the started process answers requests."""
        if (child := self.child) is None:
            raise ChildError("Home Assistant was not started")
        try:
            async with asyncio.timeout(timeout), aiohttp.ClientSession() as session:
                while not await _serves(session, self.url):
                    child.ensure_running()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise ChildError(
                f"Home Assistant did not answer in time. Its last lines:\n{child.last_lines()}"
            ) from None

    async def stop(self, *, patience: float = 30) -> None:
        """Shut down cleanly: everything is stored."""
        if self.child is not None:
            await self.child.stop(patience=patience)

    def kill(self) -> None:
        """Kill the process, as a power cut would."""
        if self.child is not None:
            self.child.kill()

    def client(self, token: str = "") -> HubClient:
        """Return a client; without a token, it can only onboard or log in."""
        return HubClient(self.url, token)


async def wait_until_running(client: HubClient, *, timeout: float = 60) -> None:
    """Wait until Home Assistant has started all integrations."""
    state = "unknown"
    try:
        async with asyncio.timeout(timeout):
            while (state := (await client.get("/api/config"))["state"]) != "RUNNING":
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise HubError(
            f"Home Assistant answers, but is still in state {state}"
        ) from None


async def _serves(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/manifest.json") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
