"""Names of States, groups and labels in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.core.query.filters import FILTERS
from services.core.query.value_names import fixed_names
from services.core.store.recommendations import LabelEntry
from services.core.store.reference import Reference

LANGUAGES = ("en", "es", "fr", "pt")
_STATE_FILTERS = frozenset({"state_under_review", "recommending_state"})
_GROUP_FILTERS = frozenset({"region", "recommending_region", "bloc", "recommending_bloc"})


class _Named(BaseModel):
    """A shape with exactly these members."""

    model_config = ConfigDict(extra="forbid")


class StateName(_Named):
    """A State, by code and by name."""

    code: str = Field(description="ISO 3166 alpha-3 code.", examples=["PER"])
    name: str = Field(examples=["Peru"])


class SpeakerName(_Named):
    """Who spoke: a State by its code, or an organisation by its id, with the name as printed."""

    code: str = Field(examples=["amnesty-international"])
    name: str = Field(examples=["Amnesty International"])


class CodeName(_Named):
    """A regional group or a bloc, by code and by name."""

    code: str = Field(examples=["grulac"])
    name: str = Field(examples=["Latin American and Caribbean States"])


class LabelName(_Named):
    """A label on a record, and who put it there."""

    id: str = Field(examples=["sdg:16"])
    scheme: str = Field(examples=["sdg"])
    code: str = Field(examples=["16"])
    name: str = Field(examples=["Peace, justice and strong institutions"])
    assigned_by: str = Field(description="ohchr-matrix, uhri, upr-info, rule or model.", examples=["ohchr-matrix"])


def in_language(
    language: str, text: str, text_language: str, translations: Mapping[str, str]
) -> tuple[str, str, dict[str, str]]:
    """The official text in a language where it is held, else in English, else as first read.

    Answers the text, its language, and the texts in the other languages.
    """
    texts = {**translations, text_language: text}
    shown = next((each for each in (language, "en") if each in texts), text_language)
    return texts.pop(shown), shown, texts


@dataclass(frozen=True)
class Names:
    """The reference's names in one language; English, then the code, where there is none."""

    reference: Reference
    language: str = "en"

    def state(self, code: str) -> dict[str, str]:
        """`{"code": "PER", "name": "Perú"}`. Answers the same dict each time: it is not to be changed."""
        known = self.reference.named_states.setdefault(self.language, {})
        named = known.get(code)
        if named is None:
            record = self.reference.states.get(code)
            named = known[code] = {"code": code, "name": self._pick(record.names, code) if record else code}
        return named

    def speaker(self, code: str, printed: str | None) -> dict[str, str]:
        """Who speaks: a State, or an organisation by its slug and its printed name. Blocs speak, too."""
        if self.knows_speaker(code):
            return self.state(code) if code in self.reference.states else self.group(code)
        return {"code": code, "name": printed or code}

    def knows_speaker(self, code: str) -> bool:
        """Whether this is the code of a State or a group: else it is an organisation's."""
        return code in self.reference.states or code in self.reference.groups

    def group(self, code: str) -> dict[str, str]:
        """A regional group or bloc by code and name."""
        record = self.reference.groups.get(code)
        return {"code": code, "name": self._pick(record.names, code) if record else code}

    def label(self, entry: LabelEntry) -> dict[str, str]:
        """A label on a record with its name. Answers the same dict each time: it is not to be changed."""
        label, by = entry["label"], entry["assigned_by"]
        known = self.reference.named_labels.setdefault(self.language, {})
        named = known.get((label, by))
        if named is None:
            scheme, _, code = label.partition(":")
            record = self.reference.labels.get(label)
            name = self._pick(record.names, code) if record else code
            named = known[label, by] = {"id": label, "scheme": scheme, "code": code, "name": name, "assigned_by": by}
        return named

    def pick(self, names: Mapping[str, str], otherwise: str) -> str:
        """The name in this language, or in English, or `otherwise`."""
        return self._pick(names, otherwise)

    def of_filter_value(self, name: str, value: str) -> str:
        """What to call a value of a filter: a State's, group's or label's name, or its own; else the value itself."""
        scheme = FILTERS[name].scheme if name in FILTERS else None
        if scheme is not None:
            record = self.reference.labels.get(f"{scheme}:{value}")
            return self._pick(record.names, value) if record else value
        if name == "speaker":
            return self.speaker(value, None)["name"]
        if name in _STATE_FILTERS:
            return self.state(value)["name"]
        if name in _GROUP_FILTERS:
            return self.group(value)["name"]
        return self._pick(fixed_names().get(name, {}).get(value, {}), value)

    def _pick(self, names: Mapping[str, str], otherwise: str) -> str:
        return names.get(self.language) or names.get("en") or next(iter(names.values()), otherwise)

    def localise(self, shape: Any) -> Any:
        """A stored shape (written with English names) with its names, and its text where held, in this language."""
        if self.language == "en":
            return shape
        if isinstance(shape, list):
            return [self.localise(item) for item in shape]
        if not isinstance(shape, dict):
            return shape
        if shape.keys() == {"code", "name"}:
            known = self.state(shape["code"]) if shape["code"] in self.reference.states else self.group(shape["code"])
            return known if known["name"] != known["code"] else shape
        if "assigned_by" in shape and "scheme" in shape:
            return self.label({"label": shape["id"], "assigned_by": shape["assigned_by"]})
        localised = {key: value if key == "translations" else self.localise(value) for key, value in shape.items()}
        if "translations" in shape:
            texts = in_language(self.language, shape["text"], shape["text_language"], shape["translations"])
            localised |= zip(("text", "text_language", "translations"), texts, strict=True)
        if "name" in shape and isinstance(shape.get("names"), dict):
            localised["name"] = self._pick(shape["names"], str(shape.get("code") or shape.get("id")))
        return localised
