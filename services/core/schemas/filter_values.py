"""What values filters take, as JSON Schema, for the OpenAPI documents.

Vocabularies are written once, as components that parameters refer to: generated clients then know them by name.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from services.core.domain.changes import EVENT_TYPES
from services.core.domain.kinds import KINDS
from services.core.domain.positions import Position, PositionDetail
from services.core.domain.reviews import MidTermStatus
from services.core.query.filters import CODE_PATTERN, FILTERS, GREATEST_NUMBER, ID_PATTERN, TEXT_LANGUAGES
from services.core.schemas.names import LANGUAGES
from services.core.store.seed import facts, sample_state_records, state_records
from services.core.store.vocabularies import vocabulary

Schema = dict[str, Any]

_OF_LABELS = {
    "topic": ("TopicCode", "topic"),
    "theme": ("ThemeCode", "ohchr-theme"),
    "issue": ("IssueCode", "upr-info-issue"),
    "sdg": ("GoalCode", "sdg"),
    "sdg_target": ("GoalTargetCode", "sdg-target"),
    "group": ("PersonsGroupCode", "group"),
    "action": ("ActionCode", "action"),
    "instrument": ("InstrumentCode", "instrument"),
    "addressee": ("AddresseeCode", "addressee"),
}
"""Name of the component, and scheme, of the filters that go by labels."""
_COMPONENTS = {
    "state_under_review": "StateCode",
    "recommending_state": "StateCode",
    "region": "RegionCode",
    "recommending_region": "RegionCode",
    "bloc": "BlocCode",
    "recommending_bloc": "BlocCode",
    "position": "Position",
    "position_detail": "PositionDetail",
    "language": "TextLanguage",
    "scheme": "SchemeCode",
    **{name: component for name, (component, _) in _OF_LABELS.items()},
}
_PLAIN: Mapping[str, Schema] = {
    "date_from": {"type": "string", "format": "date", "examples": ["2012-11-01"]},
    "date_to": {"type": "string", "format": "date", "examples": ["2026-11-21"]},
    "mid_term": {"type": "string", "enum": [str(each) for each in MidTermStatus]},
    "updated_since": {"type": "string", "format": "date-time", "examples": ["2026-11-21T09:00:00Z"]},
    **{
        name: {"type": "string", "pattern": f"^{CODE_PATTERN}$", "examples": [example]}
        for name, example in (
            ("speaker", "ESP"),
            ("organisation", "upr-latin-america-coalition"),
            ("role", "nhri"),
            ("member_of", "upr-latin-america-coalition"),
        )
    },
    **{
        name: {"type": "integer", "minimum": 0, "maximum": GREATEST_NUMBER, "examples": [example]}
        for name, example in (("cycle", 2), ("session", 14), ("council_session", 22), ("iachr_period", 191))
    },
}
_IDENTIFIERS = {
    "id": "PER-2-116.17",
    "external_id": "uhri:12345",
    "review": "PER-2",
    "document": "A-HRC-22-15",
    "hearing": "upr-14-PER",
}


def reference_to(component: str) -> Schema:
    """The schema that a component has."""
    return {"$ref": f"#/components/schemas/{component}"}


def identifier_schema(example: str | None = None) -> Schema:
    """What an id looks like."""
    schema: Schema = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
    return schema | ({"examples": [example]} if example else {})


def value_schema(name: str, noun: str | None = None) -> Schema:
    """What one value of a filter looks like. `noun` None: where records of all nouns stand side by side."""
    if name == "kind":
        kinds = [KINDS[noun]] if noun is not None else list(KINDS.values())
        several = [reference_to(kind.__name__) for kind in kinds]
        return several[0] if len(several) == 1 else {"type": "string", "enum": _distinct(kinds)}
    if name in _COMPONENTS:
        return reference_to(_COMPONENTS[name])
    if name in _PLAIN:
        return dict(_PLAIN[name])
    if name in _IDENTIFIERS:
        return identifier_schema(_IDENTIFIERS[name] if name != "id" else None)
    assert name in FILTERS
    return {"type": "string"}


def _distinct(kinds: Iterable[type[StrEnum]]) -> list[str]:
    return list(dict.fromkeys(str(each) for kind in kinds for each in kind))


@cache
def value_components() -> Mapping[str, Schema]:
    """The components that `value_schema` and `reference_to` refer to, by name."""
    entries = vocabulary().values()
    codes = {scheme: [each.code for each in entries if each.scheme == scheme] for _, scheme in _OF_LABELS.values()}
    schemes = list(dict.fromkeys(each.scheme for each in entries))
    states = [record.id for record in (*state_records(), *sample_state_records())]
    found = {
        "StateCode": _enumeration(states, "ISO 3166 alpha-3 code of a State, or the code of an invented one."),
        "RegionCode": _enumeration((row["region"] for row in facts("regions")), "Code of a UN regional group."),
        "BlocCode": _enumeration((row["bloc"] for row in facts("blocs_names")), "Code of an organisation of States."),
        "SchemeCode": _enumeration(schemes, "Code of a vocabulary."),
        "TextLanguage": _enumeration(TEXT_LANGUAGES, "Language of a document or a text (ISO 639-1)."),
        "Language": _enumeration(LANGUAGES, "Language of names and labels (ISO 639-1).") | {"default": "en"},
        "EventType": _enumeration(EVENT_TYPES, "Type of a change. More may come: ignore those you do not know."),
        **{
            component: _enumeration(codes[scheme], f"Code of a label of the vocabulary {scheme}.")
            for component, scheme in _OF_LABELS.values()
        },
    }
    kinds: tuple[type[StrEnum], ...] = (*KINDS.values(), Position, PositionDetail)
    for kind in kinds:
        found[kind.__name__] = _enumeration([str(each) for each in kind], (kind.__doc__ or "").partition("\n")[0])
    return {name: {"title": name, **schema} for name, schema in found.items()}


def _enumeration(values: Iterable[str], description: str) -> Schema:
    return {"type": "string", "enum": list(values), "description": description}
