"""Tests of the manifest, imports, hacs.json and brand images."""

import ast
from collections.abc import Iterator
from importlib.metadata import distributions, requires
from pathlib import Path
import re
import struct
import tomllib

import pytest
import yaml

import homeassistant
from homeassistant.const import Platform
from tests.packaging import INTEGRATION, PROJECT, Tree, read_json

REQUIRED_KEYS = {
    "codeowners",
    "documentation",
    "domain",
    "iot_class",
    "issue_tracker",
    "name",
    "version",
}
MANIFEST_KEYS = REQUIRED_KEYS | {
    "after_dependencies",
    "config_flow",
    "dependencies",
    "import_executor",
    "integration_type",
    "requirements",
    "single_config_entry",
}
# Components that hassfest lets any integration import without declaring them.
ALWAYS_THERE = {
    "alert",
    "automation",
    "conversation",
    "default_config",
    "device_automation",
    "frontend",
    "group",
    "homeassistant",
    "input_boolean",
    "input_button",
    "input_datetime",
    "input_number",
    "input_select",
    "input_text",
    "labs",
    "media_source",
    "mjpeg",
    "onboarding",
    "panel_custom",
    "persistent_notification",
    "person",
    "script",
    "shopping_list",
    "stream",
    "sun",
    "system_health",
    "system_log",
    "timer",
    "webhook",
    "websocket_api",
    "zone",
} | {platform.value for platform in Platform}

HACS_KEYS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}


def undeclared(source: str, manifest: Tree, files: set[str]) -> Iterator[str]:
    """Yield the components that a source file imports at run time but the manifest does not declare."""
    declared = {
        manifest["domain"],
        *manifest.get("dependencies", []),
        *manifest.get("after_dependencies", []),
    }

    def walk(node: ast.AST) -> Iterator[ast.ImportFrom | ast.Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.ImportFrom | ast.Import):
                yield child
            yield from walk(child)

    for node in walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            if node.module == "homeassistant.components":
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            modules = [alias.name for alias in node.names]
        for module in modules:
            match module.split("."):
                case ["homeassistant", "components", component, *_]:
                    # A platform file such as diagnostics.py belongs to its component.
                    if component not in declared | ALWAYS_THERE | files:
                        yield component


def png_faults(path: Path) -> Iterator[str]:
    """Yield the reasons why an image is not a valid brand image for its name."""
    header = path.read_bytes()[:33]
    if header[:8] != b"\x89PNG\r\n\x1a\n" or header[12:16] != b"IHDR":
        yield f"{path.name}: no PNG"
        return
    width, height, _depth, colour = struct.unpack(">IIBB", header[16:26])
    double = 2 if "@2x" in path.name else 1
    if "icon" in path.name and (width, height) != (256 * double, 256 * double):
        yield f"{path.name}: {width}x{height} is no icon's size"
    if "logo" in path.name and not 128 * double <= min(width, height) <= 256 * double:
        yield f"{path.name}: {width}x{height} is no logo's size"
    if colour not in {4, 6} and b"tRNS" not in path.read_bytes():
        yield f"{path.name}: not transparent"


def test_manifest(manifest: Tree) -> None:
    """Keys, their order, and their values."""
    assert manifest.keys() >= REQUIRED_KEYS
    assert manifest.keys() <= MANIFEST_KEYS
    rest = [key for key in manifest if key not in {"domain", "name"}]
    assert list(manifest) == ["domain", "name", *sorted(rest)]
    assert manifest["domain"] == INTEGRATION.name
    assert manifest["codeowners"]
    assert all(owner.startswith("@") for owner in manifest["codeowners"])
    assert manifest["documentation"].startswith("https://")
    assert not manifest["documentation"].startswith("https://www.home-assistant.io")
    assert manifest["issue_tracker"].startswith("https://")
    assert manifest["iot_class"] == "cloud_polling"
    assert manifest["integration_type"] in {"hub", "service"}
    # Home Assistant finds integrations with application credentials here.
    assert "application_credentials" in manifest["dependencies"]
    assert manifest["config_flow"] == (INTEGRATION / "config_flow.py").exists()
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", manifest["version"])


def test_one_version(manifest: Tree) -> None:
    """The manifest, the project and the changelog have the same version."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert manifest["version"] == project["version"]
    changelog = (PROJECT / "CHANGELOG.md").read_text()
    assert f"## [{manifest['version']}]" in changelog


def test_requirements(manifest: Tree) -> None:
    """No requirement is already Home Assistant's, and none contains a space, which pip would misread."""
    brought = {
        name[0].lower().replace("_", "-")
        for requirement in requires("homeassistant") or []
        if (name := re.match(r"[\w.-]+", requirement))
    }
    for requirement in manifest.get("requirements", []):
        assert " " not in requirement
        package = re.split(r"[=<>~!\[;]", requirement)[0].lower().replace("_", "-")
        assert package not in brought


def test_the_environment_matches_home_assistant() -> None:
    """Packages have the versions that the installed Home Assistant requires."""
    lines = (PROJECT / "requirements_test.txt").read_text().splitlines()
    following = {line for line in lines if line[0] != "#" and "==" not in line}
    site = Path(homeassistant.__file__).parent
    wanted = (site / "package_constraints.txt").read_text().splitlines()
    for path in site.glob("components/*/manifest.json"):
        for requirement in read_json(path).get("requirements", []):
            if requirement.partition("==")[0].lower() in following:
                wanted.append(requirement)
    there = {one.name.lower(): one.version for one in distributions()}
    pins = {
        name.lower(): version
        for line in wanted
        for name, equal, version in [line.partition("==")]
        if equal and name.lower() in there
    }
    assert following <= pins.keys()
    assert pins == {name: there[name] for name in pins}


def test_newer_home_assistants_are_tested() -> None:
    """A scheduled workflow runs all checks with the newest release and the beta, and may fail."""
    workflows = PROJECT / ".github" / "workflows"
    newest = yaml.safe_load((workflows / "newest.yml").read_text())
    [job] = newest["jobs"].values()
    # YAML reads the key `on` as true.
    assert newest[True].keys() == {"schedule", "workflow_dispatch"}
    assert job["continue-on-error"] is True
    assert job["strategy"] == {
        "fail-fast": False,
        "matrix": {"homeassistant": ["newest", "beta"]},
    }
    assert job["env"] == {"NOMOS_HOMEASSISTANT": "${{ matrix.homeassistant }}"}
    [usual] = yaml.safe_load((workflows / "test.yml").read_text())["jobs"].values()
    assert job["steps"] == usual["steps"]
    setup = (PROJECT / "scripts" / "setup").read_text()
    assert "NOMOS_HOMEASSISTANT" in setup


def test_imports_are_declared(manifest: Tree) -> None:
    """The manifest declares every component whose code is imported."""
    files = {path.stem for path in INTEGRATION.iterdir()}
    wrong = {
        f"{path.name}: {component}"
        for path in INTEGRATION.rglob("*.py")
        for component in undeclared(path.read_text(), manifest, files)
    }
    assert not wrong


def test_setup_has_a_schema_and_actions_are_described() -> None:
    """Hassfest warns of `async_setup` without a schema, and of undescribed actions."""
    code = "\n".join(path.read_text() for path in INTEGRATION.glob("*.py"))
    if re.search(r"^async def async_setup\(", code, re.MULTILINE):
        assert "CONFIG_SCHEMA" in code
    if re.search(r"services\.(async_)?register|_entity_service\(", code):
        assert (INTEGRATION / "services.yaml").exists()


@pytest.mark.parametrize(
    ("source", "components"),
    [
        ("from homeassistant.components.recorder import get_instance", ["recorder"]),
        ("from homeassistant.components import http", ["http"]),
        ("import homeassistant.components.lovelace", ["lovelace"]),
        ("from homeassistant.components.sensor import SensorEntity", []),
        ("from homeassistant.components.diagnostics import async_redact_data", []),
        (
            "if TYPE_CHECKING:\n    from homeassistant.components.http import X",
            [],
        ),
    ],
)
def test_undeclared_imports_are_found(source: str, components: list[str]) -> None:
    """The check of imports can fail."""
    found = undeclared(source, {"domain": "nomos"}, {"diagnostics"})
    assert list(found) == components


# HACS


def test_hacs() -> None:
    """hacs.json has known keys only, and refers to existing files."""
    hacs = read_json(PROJECT / "hacs.json")
    assert hacs.keys() <= HACS_KEYS
    assert hacs["name"]
    # Releases have no zip: HACS installs the folder of the tag.
    assert bool(hacs.get("zip_release")) == bool(hacs.get("filename"))
    # `probatio` and the shared abort reasons are new in this release.
    assert hacs["homeassistant"] == "2026.10.0"


def test_repository() -> None:
    """There is one integration, a readme, and a licence that GitHub recognises."""
    folders = [
        path.name
        for path in (PROJECT / "custom_components").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    ]
    assert folders == [INTEGRATION.name]
    assert (PROJECT / "README.md").stat().st_size > 0
    assert "Apache License" in (PROJECT / "LICENSE").read_text()[:200]


def test_brand_images() -> None:
    """Each image has the right size, and none duplicates its own fallback."""
    folder = INTEGRATION / "brand"
    images = {path.name: path for path in folder.glob("*.png")}
    assert {"icon.png", "icon@2x.png"} <= images.keys()
    allowed = {
        f"{dark}{kind}{size}.png"
        for dark in ("", "dark_")
        for kind in ("icon", "logo")
        for size in ("", "@2x")
    }
    assert images.keys() <= allowed
    assert not [fault for path in images.values() for fault in png_faults(path)]
    for name in images:
        if "@2x" in name:
            assert name.replace("@2x", "") in images
    contents = [path.read_bytes() for path in images.values()]
    assert len(set(contents)) == len(contents)


def test_wrong_images_are_found(tmp_path: Path) -> None:
    """The check of images can fail."""
    icon = tmp_path / "icon.png"
    icon.write_bytes(b"GIF89a")
    assert list(png_faults(icon)) == ["icon.png: no PNG"]
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
    icon.write_bytes(start + struct.pack(">IIBB", 128, 128, 8, 2) + bytes(7))
    assert list(png_faults(icon)) == [
        "icon.png: 128x128 is no icon's size",
        "icon.png: not transparent",
    ]
