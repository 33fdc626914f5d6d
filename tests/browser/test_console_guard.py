"""Tests that the console guard finds each kind of fault."""

from pathlib import Path

from playwright.async_api import Browser
import pytest

from tests.browser.browser import open_browser, open_window
from tests.browser.console_guard import Reading, page_faults, text_fault
from tests.browser.texts import BUTTONS, LANGUAGES, Texts, translations

GERMAN = Texts("de")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("component.nomos.config.step.user.title", "the key of a text"),
        ("config.step.user: ui.panel.config.integrations", "the key of a text"),
        ("reauth_confirm", "a name from the program"),
        ("price_cap", "a name from the program"),
        ("contiguous", "a name from the program"),
        ("[object Object]", "a value that is none"),
        ("undefined EUR/kWh", "a value that is none"),
        ("NaN", "a value that is none"),
        ("Translation error: missing variable", "a value that is none"),
        ("Link {name} again", "a placeholder"),
        ("Current price", "not in the language de"),
        ("Add flexible load", "not in the language de"),
    ],
)
def test_wrong_texts_are_found(text: str, fault: str) -> None:
    """Each kind of wrong text is reported as such."""
    assert (text_fault(text, GERMAN) or "").startswith(fault)


@pytest.mark.parametrize("language", LANGUAGES)
def test_right_texts_pass(language: str) -> None:
    """The integration's texts pass in their own language, as do names that only look like keys."""
    texts = Texts(language)
    wrong = [
        text
        for text in translations(language).values()
        # Placeholders have been filled in by the time a text is shown.
        if "{" not in text and text_fault(text, texts)
    ]
    assert not wrong
    for text in ("Nomos", "sensor.nomos_price", "0,3917 EUR/kWh", "kWh", "", "Name"):
        assert text_fault(text, texts) is None


def test_fields_need_labels() -> None:
    """A field without a label, or with its name as the label, is reported."""
    labels = {"name": "Name", "min_run": "", "power": "power", "duration": " "}
    assert list(page_faults(Reading([], labels), Texts("en"))) == [
        "a field without a label: 'min_run'",
        "a field labelled by its name in the program: 'power'",
        "a field without a label: 'duration'",
    ]


def test_both_languages_have_the_same_buttons() -> None:
    """The journey finds the same buttons in either language."""
    assert BUTTONS["en"].keys() == BUTTONS["de"].keys()


BAD_PAGE = """
<title>Bad</title>
<p>price_cap</p><p hidden>hidden_key</p><script>const a = "script_key";</script>
<img alt="state_attributes">
<ha-selector></ha-selector>
<div id="host">not_slotted</div>
<script>
  document.querySelector("#host").attachShadow({mode: "open"}).innerHTML = "<span>in_the_shadow</span>";
  Object.assign(document.querySelector("ha-selector"), {name: "power", label: ""});
  console.error("something of ours broke");
  Promise.reject(new Error("nobody caught this"));
  fetch("https://example.com/tracker?secret=1").catch(() => {});
  fetch("http://127.0.0.1:9/nobody-listens?secret=1").catch(() => {});
</script>
"""


async def read_bad_page(browser: Browser, evidence: Path) -> None:
    """Open the page and read it."""
    async with open_window(browser, "en", evidence=evidence) as (context, guard):
        page = await context.new_page()
        await page.set_content(BAD_PAGE)
        await page.wait_for_load_state("networkidle")
        await guard.read(page)


async def test_a_bad_page_is_found(tmp_path: Path) -> None:
    """In the real browser, wrong texts, errors, and failed or foreign requests are reported."""
    async with open_browser() as browser:
        with pytest.raises(AssertionError) as failure:
            await read_bad_page(browser, tmp_path)
    complaints = (tmp_path / "complaints.txt").read_text()
    assert complaints.strip() in "\n".join(failure.value.__notes__)
    for seen in (
        "console: something of ours broke",
        "uncaught: nobody caught this",
        "asks another machine: https://example.com/tracker",
        "request: net::ERR_UNSAFE_PORT (http://127.0.0.1:9/nobody-listens)",
        "'price_cap'",
        "'state_attributes'",
        "'in_the_shadow'",
        "a field without a label: 'power'",
    ):
        assert seen in complaints
    for unseen in ("hidden_key", "script_key", "not_slotted", "secret"):
        assert unseen not in complaints
    assert f"Pictures, texts and logs are in {tmp_path}" in failure.value.__notes__
    assert (tmp_path / "page-0.png").stat().st_size > 0
    assert "in_the_shadow" in (tmp_path / "page-0.txt").read_text()
