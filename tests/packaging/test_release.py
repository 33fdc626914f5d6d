"""Tests of releases."""

from pathlib import Path
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.packaging import PROJECT, read_json

CHECKED = (
    "CHANGELOG.md",
    "custom_components/nomos/manifest.json",
    "pyproject.toml",
    "scripts/check-release",
)
WORKFLOWS = PROJECT / ".github" / "workflows"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the files that a release is checked with, for a dated version 9.8.7."""
    for name in CHECKED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    replace(tmp_path / "custom_components/nomos/manifest.json", '"0.1.0"', '"9.8.7"')
    replace(tmp_path / "pyproject.toml", 'version = "0.1.0"', 'version = "9.8.7"')
    replace(
        tmp_path / "CHANGELOG.md",
        "## [0.1.0]",
        "## [9.8.7] - 2027-01-31\n\n- All of it.\n\n## [0.1.0]",
    )
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that occurs exactly once in a file."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def check(project: Path, tag: str) -> subprocess.CompletedProcess[str]:
    """Check a tag."""
    return subprocess.run(
        [sys.executable, project / "scripts/check-release", tag],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tag_that_fits(project: Path) -> None:
    """The changelog's section of the version is printed, and no other."""
    done = check(project, "v9.8.7")
    assert (done.returncode, done.stdout, done.stderr) == (0, "- All of it.\n", "")


@pytest.mark.parametrize(
    ("tag", "file", "old", "new", "message"),
    [
        ("v9.8.8", None, "", "", "manifest.json says 9.8.7"),
        ("9.8.7", None, "", "", "begin with a v"),
        (
            "v9.8.7",
            "custom_components/nomos/manifest.json",
            "9.8.7",
            "9.8.6",
            "manifest.json says 9.8.6",
        ),
        ("v9.8.7", "pyproject.toml", "9.8.7", "9.8.6", "pyproject.toml says 9.8.6"),
        ("v9.8.7", "CHANGELOG.md", "[9.8.7]", "[9.8.6]", "CHANGELOG.md says 9.8.6"),
        ("v9.8.7", "CHANGELOG.md", "2027-01-31", "unreleased", "'unreleased'"),
    ],
)
def test_a_tag_that_does_not_fit(
    project: Path, tag: str, file: str | None, old: str, new: str, message: str
) -> None:
    """The tag is refused with a reason."""
    if file is not None:
        replace(project / file, old, new)
    done = check(project, tag)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_a_release_needs_passing_checks() -> None:
    """A tag starts checks, tests and validators; only if all pass, a draft release is created and finally published."""
    workflow = yaml.safe_load((WORKFLOWS / "release.yml").read_text())
    # YAML reads the key `on` as true.
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    assert workflow["permissions"] == {"contents": "read"}
    jobs = workflow["jobs"]
    publish = jobs.pop("publish")
    assert sorted(publish["needs"]) == sorted(jobs)
    later = [job["needs"] for name, job in jobs.items() if name != "version"]
    assert set(later) == {"version"}
    commands = "\n".join(step.get("run", "") for step in publish["steps"])
    assert 0 < commands.index("--draft ") < commands.index("--draft=false")
    called = [job["uses"] for job in jobs.values() if "uses" in job]
    for name in called:
        assert "workflow_call" in yaml.safe_load((PROJECT / name).read_text())[True]
    assert {Path(name).name for name in called} == {
        "clients.yml",
        "test.yml",
        "validate.yml",
    }


def test_anybody_can_report_a_problem() -> None:
    """No form requires something that people who cannot link an account do not have."""
    for path in (PROJECT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        for field in yaml.safe_load(path.read_text()).get("body", []):
            if field.get("id") == "diagnostics":
                assert field["validations"] == {"required": False}


def test_current_version_can_be_released() -> None:
    """The current version passes the check, so a release only needs a tag."""
    version = read_json(PROJECT / CHECKED[1])["version"]
    done = check(PROJECT, f"v{version}")
    assert done.returncode == 0 or "unreleased" in done.stderr, done.stderr
