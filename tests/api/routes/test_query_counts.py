"""How many queries each route takes: bounded, and the same with three times the rows.

The table below goes by the routes that the service has: one that is new needs an entry.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Engine

from services.api.app import create_app
from services.api.details.catalogue import PARTS
from services.api.details.parts import Part
from services.api.routes.statistics import COUNTED_NOUNS
from services.api.settings import ApiSettings
from services.api.statistics import dimensions_of
from services.api.webhooks.replaying import replay_block
from services.core.domain.changes import Cause
from services.core.pages.rendering import Pages
from services.core.runtime.exports import FORMATS
from services.core.runtime.keys import Scope
from services.core.runtime.serve import served
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.archive import FOLDER, Archive
from services.core.store.changes import append_changes
from services.core.store.documents import DOCUMENTS
from services.core.store.organisations import ORGANISATIONS
from services.core.store.paragraphs import ParagraphRecord, paragraph_id, paragraph_sort_key, replace_paragraphs
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.records import Stored
from services.core.store.reference import ReferenceShelf, read_reference
from services.core.store.tables import AGGREGATES
from tests.api.conftest import MakeKey
from tests.api.site import PUBLIC, Site
from tests.records import STATES, RecordMaker, write_records

FEW = 20
"""Records of each noun in the smaller store, before what hangs on those that are asked for."""
PLAIN = 5
"""What lists and single records of any noun may take without parts."""
CONTENT = b"%PDF-1.7"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
DOCUMENT = "A-HRC-22-15"
"""Many random records say that they are from it."""


@dataclass(frozen=True)
class Asked:
    """A query of a route, and how many of SQL it may take."""

    most: int
    query: str = ""


def _lists(noun: str) -> tuple[Asked, ...]:
    parts = [part for part in PARTS.get(noun, ()) if not part.alone]
    plain = ("?limit=1", "?limit=200", "?limit=200&lang=es&fields=id")
    return (*(Asked(PLAIN, query) for query in plain), *_with_each(parts, "?limit=200&"))


def _details(noun: str) -> tuple[Asked, ...]:
    return (Asked(PLAIN), *_with_each(PARTS.get(noun, ()), "?"))


def _with_each(parts: Sequence[Part], query: str) -> Iterator[Asked]:
    """With one part after the other, and with all of them."""
    yield from (Asked(PLAIN + part.queries, f"{query}include={part.name}") for part in parts)
    if parts:
        yield Asked(PLAIN + sum(part.queries for part in parts), f"{query}include=all")


def _statistics(noun: str) -> tuple[Asked, ...]:
    """The newest change, the groups, the total, and what has no value of each dimension."""
    dimensions = dimensions_of(noun)
    together = (dimensions[at : at + 3] for at in range(0, len(dimensions), 3))
    return (
        *(Asked(3 + 1, f"?group_by={dimension}") for dimension in dimensions),
        *(Asked(3 + len(several), f"?group_by={','.join(several)}&topic=torture-prevention") for several in together),
    )


NO_QUERY = (Asked(0),)
ENDPOINT = "/v1/webhooks/endpoints/{endpoint_id}"
WITH_KEY = (
    "/v1/keys",
    "/v1/saved-searches",
    "/v1/saved-searches/{search_id}",
    "/v1/webhooks/endpoints",
    ENDPOINT,
)
_STYLE = Pages("services.api.pages", public_url=PUBLIC, home="/pages").asset("page.css").split("/")
_SUBJECT = {"state": "PER", "topic": "torture-prevention"}
DOSSIERS = (
    *(f"/v1/dossiers/{{state}}/{{topic}}{end}" for end in ("", "/document.docx", "/document.pdf")),
    *(f"/dossier/{{state}}/{{topic}}{end}" for end in ("", ".docx", ".pdf")),
)
OWN_VALUES: dict[str, dict[str, str]] = {
    "/v1/event-types/{name}": {"name": "recommendation.created"},
    "/pages/assets/{edition}/{name}": {"edition": _STYLE[-2], "name": _STYLE[-1]},
    **dict.fromkeys(DOSSIERS, _SUBJECT),
}
"""What paths call by a name that others use for something else."""
ROUTES: dict[str, tuple[Asked, ...]] = {
    "/openapi.json": NO_QUERY,
    "/healthz": NO_QUERY,
    "/readyz": (Asked(3),),
    "/metrics": (Asked(1),),
    "/problems/{code}": NO_QUERY,
    "/docs": NO_QUERY,
    "/docs/assets/{asked_edition}/{name}": NO_QUERY,
    "/v1/event-types": NO_QUERY,
    "/v1/event-types/{name}": NO_QUERY,
    **{f"/v1/{noun}": _lists(noun) for noun in (*AGGREGATES, "topics")},
    **{f"/v1/{noun}/{{record_id}}": _details(noun) for noun in AGGREGATES},
    "/v1/topics/{slug}": _details("topics"),
    **{f"/{noun}/{{record_id}}": NO_QUERY for noun in AGGREGATES},
    "/topics/{record_id}": NO_QUERY,
    **{path: (Asked(25),) for path in DOSSIERS},
    "/pages/assets/{edition}/{name}": NO_QUERY,
    "/": (Asked(8),),
    "/help": NO_QUERY,
    "/about": (Asked(5),),
    "/coverage": (Asked(4),),
    "/follow": (Asked(1), Asked(1, "?state_under_review=PER&q=torture")),
    **{f"/v1/{noun}.{form.suffix}": (Asked(PLAIN),) for noun in AGGREGATES for form in FORMATS},
    **{f"/v1/reviews/{{record_id}}/matrix{end}": (Asked(4), Asked(4, "?lang=es")) for end in ("", ".docx", ".xlsx")},
    **{f"/reviews/{{record_id}}/matrix{end}": NO_QUERY for end in ("", ".docx", ".xlsx")},
    **{f"/v1/{noun}/citation": (Asked(2),) for noun in AGGREGATES},
    **{f"/v1/{noun}/{{record_id}}/citation": (Asked(3),) for noun in AGGREGATES},
    **{f"/v1/statistics/{noun}": _statistics(noun) for noun in COUNTED_NOUNS},
    **{f"/v1/statistics/{noun}/citation": (Asked(2, "?group_by=year"),) for noun in COUNTED_NOUNS},
    # With what one answer at a time counts of everything, and keeps.
    **{path: (Asked(2 + 9), Asked(2 + 9, "?lang=es")) for path in ("/v1/statistics", "/statistics")},
    "/v1/documents/{record_id}/paragraphs": (Asked(4, "?limit=1"), Asked(4, "?limit=200")),
    "/v1/documents/{record_id}/paragraphs/{anchor}": (Asked(2),),
    "/documents/{record_id}/paragraphs": NO_QUERY,
    "/documents/{record_id}/paragraphs/{anchor}": NO_QUERY,
    "/v1/recommendations/{record_id}/citations": (Asked(4, "?limit=1"), Asked(4, "?limit=200")),
    "/v1/documents/{record_id}/files/{sha256}": (Asked(1),),
    "/documents/{record_id}/files/{sha256}": NO_QUERY,
    **{
        f"/v1/changes{end}": (
            Asked(2),
            Asked(2, "?region=grulac&event_type=recommendation.created"),
            Asked(3, "?saved_search={search_id}"),
        )
        for end in (".atom", ".json-feed")
    },
    "/v1/changes": (
        Asked(2, "?limit=1"),
        Asked(2, "?limit=200"),
        Asked(2, "?limit=200&region=grulac"),
        Asked(3, "?limit=200&saved_search={search_id}"),
    ),
    "/v1/calendar.ics": (Asked(4), Asked(4, "?region=grulac&bloc=oas")),
    **{path: (Asked(1 + 1),) for path in WITH_KEY},  # the key comes first
    # Behind the key the endpoint, and of a delivery its tries.
    f"{ENDPOINT}/deliveries": (Asked(3), Asked(3, "?limit=1&status=delivered&event_type=recommendation.created")),
    f"{ENDPOINT}/deliveries/{{delivery_id}}": (Asked(4),),
    f"{ENDPOINT}/replays": (Asked(3), Asked(3, "?limit=1")),
    f"{ENDPOINT}/replays/{{replay_id}}": (Asked(3),),
}
"""What every route is asked, with the greatest number of queries."""


def paths_of(routes: Iterable[Any]) -> Iterator[str]:
    """The paths that can be got."""
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from paths_of(included.routes)
        elif "GET" in route.methods:
            yield route.path


class World:
    """A store with one record of each noun on which others hang; `grow` adds to all of it alike."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._maker = RecordMaker(7, STATES[:30])
        self._paragraphs: list[ParagraphRecord] = []
        self.ids: dict[str, str] = {}
        self.rows = 0
        with engine.begin() as connection:
            write_records(connection, {"labels": list(self._maker.labels())})
            made = self._maker.records({}, default=FEW)
            self._review = next(each for each in self._maker.reviews if DOCUMENT in each.documents)
            write_records(connection, made)
            self._one_of_each(connection, made)
            self._hang(connection, FEW)
        self._tell(made)

    def _one_of_each(self, connection: Connection, made: dict[str, list[Stored]]) -> None:
        """The records that are asked for."""
        document = self._maker.document()
        file = replace(document, id=DOCUMENT, symbol="A/HRC/22/15", review=self._review.id)
        DOCUMENTS.insert(connection, [replace(file, files=[{**document.files[0], "sha256": SHA256}])])
        ORGANISATIONS.insert(connection, [replace(self._maker.organisation(), id="coalition-of-peru")])
        self._recommendation = replace(
            self._maker.recommendation(),
            id=f"{self._review.id}-1.1",
            review=self._review.id,
            state_under_review=self._review.state_under_review,
        )
        RECOMMENDATIONS.insert(connection, [self._recommendation])
        self.ids = {
            "states": self._review.state_under_review,
            "reviews": self._review.id,
            "documents": DOCUMENT,
            "recommendations": self._recommendation.id,
            "organisations": "coalition-of-peru",
            "labels": "topic:torture-prevention",
            "topics": "torture-prevention",
        } | {noun: getattr(made[noun][0], "id") for noun in ("pledges", "observations", "hearings", "statements")}  # noqa: B009

    def grow(self) -> None:
        """Two further records for each there was."""
        for _ in range(2):
            made = self._maker.records({}, default=FEW)
            with self._engine.begin() as connection:
                write_records(connection, made)
                self._hang(connection, FEW)
            self._tell(made)

    def _hang(self, connection: Connection, count: int) -> None:
        """So many more records and paragraphs of what is asked for."""
        text = self._recommendation.text
        others, self._maker.reviews = self._maker.reviews, [self._review]
        made = self._maker.records({"reviews": 0, "organisations": 0, "observations": 0}, default=count)
        self._maker.reviews = others
        alike = [replace(each, text=text) for each in made["recommendations"][::2]]  # type: ignore[call-arg]
        said = [replace(each, hearing=self.ids["hearings"]) for each in made["statements"]]  # type: ignore[call-arg]
        made |= {"recommendations": [*alike, *made["recommendations"][1::2]], "statements": said}
        write_records(connection, made)
        self._paragraphs += map(self._paragraph, range(len(self._paragraphs), len(self._paragraphs) + count))
        replace_paragraphs(connection, self._review.id, self._paragraphs)

    def _paragraph(self, ordinal: int) -> ParagraphRecord:
        cited = self._recommendation.id
        return ParagraphRecord(
            id=paragraph_id(DOCUMENT, "en", str(ordinal)),
            document=DOCUMENT,
            sort_key=paragraph_sort_key(DOCUMENT, "en", ordinal),
            review=self._review.id,
            state_under_review=self._review.state_under_review,
            cycle=self._review.cycle,
            document_kind="national_report",
            language="en",
            number=str(ordinal),
            heading=None,
            text="Prisons are inspected.",
            page=1,
            citations=[{"printed": "1.1", "cycle": None, "recommendations": [cited]}],
            recommendations=(cited,),
            file=f"{ordinal // FEW:064x}",
            parser="plain_document",
            parser_version="1",
        )

    def _tell(self, made: dict[str, list[Stored]]) -> None:
        """Write a change for each record that is new."""
        reference = read_reference(self._engine)
        shapes = [(noun, shape_of(noun, each, Names(reference))) for noun, several in made.items() for each in several]
        drafts = [
            draft_change(noun, None, shape, cause=Cause.PUBLICATION, effective_on=None, reference=reference)
            for noun, shape in shapes
        ]
        with self._engine.begin() as connection:
            append_changes(connection, [draft for draft in drafts if draft is not None])
        self.rows += len(shapes)


@contextmanager
def running(database_url: str, folder: Path) -> Iterator[Site]:
    settings = ApiSettings(
        database_url=database_url, public_url=PUBLIC, data_dir=folder, webhook_allow_loopback=True, rate_limit=0
    )
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        desk = app.state.desk
        # Otherwise names of States are read anew every few seconds, which any answer may happen to do.
        app.state.desk = replace(desk, reference=ReferenceShelf(desk.engine, seconds=3600))
        yield Site(client, desk.engine, app)


def make_more(site: Site, key: str, count: int) -> dict[str, str]:
    """So many saved searches and webhook endpoints; the ids of the last ones, by what paths call them."""
    made = {"/v1/saved-searches": {"name": "Cycle 2", "filters": {"cycle": "2"}},
            "/v1/webhooks/endpoints": {"url": "http://127.0.0.1:9/hook"}}  # fmt: skip
    headers = {"Authorization": f"Bearer {key}"}
    for _ in range(count):
        search, endpoint = (site.client.post(path, json=body, headers=headers) for path, body in made.items())
        assert (search.status_code, endpoint.status_code) == (201, 201), search.text + endpoint.text
    below = f"/v1/webhooks/endpoints/{endpoint.json()['id']}"
    replay = site.client.post(f"{below}/replay", json={"since": 0, "to_seq": count}, headers=headers).json()["id"]
    with site.engine.begin() as connection:
        replay_block(connection, datetime.now(UTC))
    delivery = site.client.get(f"{below}/deliveries", headers=headers).json()["data"][0]["id"]
    ids = {"search_id": search.json()["id"], "endpoint_id": endpoint.json()["id"]}
    return ids | {"replay_id": replay, "delivery_id": delivery}


def addresses(values: dict[str, str], ids: dict[str, str]) -> list[tuple[str, int]]:
    """What is asked, each with its bound."""
    return [
        (f"{path}{asked.query}".format(**values | own, record_id=ids.get(noun_of(path), "")), asked.most)
        for path, several in ROUTES.items()
        for own in (OWN_VALUES.get(path, {}),)
        for asked in several
    ]


def noun_of(path: str) -> str:
    """The first word of a path behind the version."""
    return path.removeprefix("/v1").split("/")[1]


def counted(site: Site, asked: Iterable[tuple[str, int]], key: str) -> dict[str, list[str]]:
    """The queries of each answer, once what is read only once has been read."""
    own = {noun_of(path) for path in WITH_KEY}
    made: dict[str, list[str]] = {}
    site.json("/v1/states")
    for address, _ in asked:
        headers = {"Authorization": f"Bearer {key}"} if noun_of(address) in own else {}
        with site.counted() as made[address]:
            answer = site.client.get(address, headers=headers)
        assert answer.status_code in (200, 307), (address, answer.status_code, answer.text)
    return made


def difference(address: str, few: Sequence[str], many: Sequence[str]) -> str:
    """What is asked more or less often of the larger store, and how often."""
    counts = Counter(many)
    counts.subtract(few)
    shown = "".join(f"\n    {n:+}: {' '.join(statement.split())[:300]}" for statement, n in counts.items() if n)
    return f"GET {address}: {len(few)} queries, and {len(many)} with three times the rows{shown}"


def test_every_route_has_a_bound() -> None:
    app = create_app(ApiSettings(), "postgresql://nobody@127.0.0.1/none")
    assert sorted(paths_of(app.routes)) == sorted(ROUTES)


def test_no_route_takes_more_queries_with_more_rows(
    engine: Engine, database_url: str, make_key: MakeKey, tmp_path: Path
) -> None:
    (tmp_path / "report.pdf").write_bytes(CONTENT)
    Archive(tmp_path / FOLDER).keep(tmp_path / "report.pdf", SHA256)
    world, (_, key) = World(engine), make_key(Scope.ADMIN)
    with running(database_url, tmp_path) as site:
        asset = re.search('docs/assets/(?P<asked_edition>[^/]+)/(?P<name>[^"]+)', site.get("/docs").text)
        assert asset
        fixed = {"code": "not_found", "slug": "torture-prevention", "anchor": "en.1", "sha256": SHA256}
        asked = addresses(fixed | asset.groupdict() | make_more(site, key, 3), world.ids)
        few = counted(site, asked, key)
        before = world.rows
        world.grow()
        make_more(site, key, 6)
        for _ in range(2):
            make_key()
        many = counted(site, asked, key)
        assert world.rows == 3 * before
        rows = site.json("/v1/recommendations", review=world.ids["reviews"], limit=1)["total"]
        assert rows > 2.5 * FEW
    differing = [difference(each, few[each], many[each]) for each in few if len(few[each]) != len(many[each])]
    above = [
        f"GET {address}: {len(many[address])} queries, at most {most} were expected"
        for address, most in asked
        if len(many[address]) > most
    ]
    assert not differing + above, "\n".join(differing + above)
