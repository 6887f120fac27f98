"""Parts of labels and topics: how many records carry them, and what they were called before and after."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from pydantic import Field
from sqlalchemy import Connection, Table, column, func, select, true, values

from services.api.details.documents import ListHeld
from services.api.details.parts import Part, Setting
from services.core.query.filters import FILTERS
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.filtering import as_array
from services.core.store.labels import LabelRecord
from services.core.store.metadata import plain_text
from services.core.store.tables import AGGREGATES
from services.core.store.vocabularies import label_family, newer_labels, older_labels

_FILTERS = {known.scheme: known for known in FILTERS.values() if known.scheme}
LABELLED = ("recommendations", "pledges", "observations", "statements")


class LabelBrief(Public):
    """A label in short."""

    id: str = Field(examples=["ohchr-theme:death-penalty"])
    scheme: str = Field(examples=["ohchr-theme"])
    code: str = Field(examples=["death-penalty"])
    name: str = Field(examples=["Death penalty"])


class Crosswalk(Public):
    """The labels of other generations of the vocabulary that stand for the same; filters follow them."""

    older: list[LabelBrief] = Field(description="What became this label, directly or by way of others.")
    newer: list[LabelBrief] = Field(description="What this label became.")


class LabelCounts(Public):
    """How many records the filter by a label finds: those with its older and newer labels among them.

    Null: records of this noun have no filter by this vocabulary.
    """

    recommendations: ListHeld | None
    pledges: ListHeld | None
    observations: ListHeld | None
    statements: ListHeld | None


def label_brief(label: str, setting: Setting) -> Shape:
    """The short form of a label, by its id."""
    scheme, _, code = label.partition(":")
    held = setting.names.reference.labels.get(label)
    return {"id": label, "scheme": scheme, "code": code, "name": setting.names.pick(held.names, code) if held else code}


def _crosswalk(setting: Setting, labels: Sequence[LabelRecord]) -> Mapping[str, Shape]:
    return {
        label.id: {
            "older": [label_brief(each, setting) for each in sorted(older_labels(label.id))],
            "newer": [label_brief(each, setting) for each in sorted(newer_labels(label.id))],
        }
        for label in labels
    }


def _counts(setting: Setting, labels: Sequence[LabelRecord]) -> Mapping[str, Shape]:
    return counts_of_labels(setting, [label.id for label in labels])


def counts_of_labels(setting: Setting, labels: Iterable[str]) -> Mapping[str, Shape]:
    """Of each label, by its id, the members of `LabelCounts`. A query for each noun."""
    families = {label: label_family(label) for label in labels}
    counts = {noun: _count(setting.connection, AGGREGATES[noun].table, families) for noun in LABELLED}
    return {label: {noun: _held(setting, noun, label, counts[noun]) for noun in LABELLED} for label in families}


def _held(setting: Setting, noun: str, label: str, counts: Mapping[str, int]) -> Shape | None:
    scheme, _, code = label.partition(":")
    known = _FILTERS.get(scheme)
    if known is None or noun not in known.nouns:
        return None
    return {"count": counts.get(label, 0), "url": setting.address(f"{noun}?{urlencode({known.name: code})}")}


def _count(connection: Connection, table: Table, families: Mapping[str, Iterable[str]]) -> Mapping[str, int]:
    """How many records carry a label of each family; a record with several of one is counted once."""
    pairs = [(label, member) for label, family in families.items() for member in sorted(family)]
    if not pairs:
        return {}
    family = values(column("label", plain_text()), column("member", plain_text()), name="family").data(pairs)
    held = func.unnest(table.c.label_ids).table_valued(column("id", plain_text()), name="held").render_derived()
    query = (
        select(family.c.label, func.count(table.c.id.distinct()))
        .select_from(table.join(held, true()).join(family, family.c.member == held.c.id))
        .where(table.c.label_ids.overlap(as_array(sorted({member for _, member in pairs}))))
        .group_by(family.c.label)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


LABEL_PARTS = (
    Part("crosswalk", Crosswalk, "What it was called before, and what after.", _crosswalk, 0),
    Part("counts", LabelCounts, "How many records carry it, and their lists.", _counts, len(LABELLED)),
)
