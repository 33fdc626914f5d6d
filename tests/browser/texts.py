"""The texts on the pages: the integration's in both languages, and those of Home Assistant's buttons."""

from collections.abc import Collection
from functools import cache

from tests.packaging import INTEGRATION, leaves, read_json

LANGUAGES = {"en": "en-GB", "de": "de-DE"}
"""The languages, each with the locale that a browser sends."""

# The labels of buttons in Home Assistant's frontend.
BUTTONS = {
    "en": {
        "add": "Add",
        "add_integration": "Add integration",
        "close": "Close",
        "configure": "Configure",
        "delete": "Delete",
        "finish": "Finish",
        "menu": "Menu",
        "ok": "OK",
        "reconfigure": "Reconfigure",
        "skip": "Skip and finish",
        "submit": "Submit",
    },
    "de": {
        "add": "Hinzufügen",
        "add_integration": "Integration hinzufügen",
        "close": "Schließen",
        "configure": "Konfigurieren",
        "delete": "Löschen",
        "finish": "Fertigstellen",
        "menu": "Menü",
        "ok": "OK",
        "reconfigure": "Neu konfigurieren",
        "skip": "Überspringen und fertigstellen",
        "submit": "OK",
    },
}


@cache
def translations(language: str) -> dict[str, str]:
    """Return the integration's texts in a language, by their path."""
    path = INTEGRATION / "translations" / f"{language}.json"
    return dict(leaves(read_json(path)))


class Texts:
    """The expected texts in one language, and the texts of the other language."""

    def __init__(self, language: str) -> None:
        """Read both languages, since a text in the other one is a fault."""
        self.language = language
        self._own = translations(language)
        mine = set(self._own.values())
        others = {
            text
            for other in LANGUAGES
            if other != language
            for text in translations(other).values()
        }
        self.foreign = frozenset(others - mine)
        """Texts that exist in the other language only."""
        self.keys = (
            frozenset(key for path in self._own for key in path.split(".")) - mine
        )
        """The keys that Home Assistant shows if the text of an item is missing."""

    def own(self, path: str, **placeholders: str) -> str:
        """Return a text of the integration. Raises KeyError if there is none."""
        return self._own[path].format(**placeholders)

    def below(self, path: str) -> dict[str, str]:
        """Return the texts right below a path, by their last key."""
        return {
            key.removeprefix(f"{path}."): text
            for key, text in self._own.items()
            if key.rpartition(".")[0] == path
        }

    def field_texts(
        self, step: str, kind: str, absent: Collection[str]
    ) -> dict[str, str]:
        """Return texts of one kind (labels, …) of a step's fields, sections included, without the absent ones."""
        found = {}
        for path, text in self._own.items():
            if not path.startswith(f"{step}."):
                continue
            match path.removeprefix(f"{step}.").split("."):
                case [one, key] if one == kind and key not in absent:
                    found[key] = text
                case ["sections", section, one, key] if one == kind and not {
                    section,
                    f"{section}.{key}",
                } & {*absent}:
                    found[key] = text
        return found

    def button(self, name: str) -> str:
        """Return the label of a button of Home Assistant."""
        return BUTTONS[self.language][name]
