"""How records, lists and counts are cited, in each form."""

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from services.api.citations.citation import Citation
from services.api.routes.citations import FORMS, CitationAnswer
from services.api.routes.statistics import COUNTED_NOUNS
from services.core.schemas.names import LANGUAGES
from services.core.store.documents import DOCUMENTS, DocumentRecord
from services.core.store.recommendations import RECOMMENDATIONS, RecommendationRecord, SourceEntry
from services.core.store.tables import AGGREGATES
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import RecordMaker, fill

CSL_TYPES = {"report", "entry", "dataset"}
CSL_VARIABLES = {
    "id", "citation-key", "type", "title", "author", "publisher", "container-title", "number", "page", "issued",
    "accessed", "URL", "source", "version", "language", "note", "abstract",
}  # fmt: skip
"""Of the data schema of the Citation Style Language 1.0.2 (`csl-data.json`), what we use. It allows no others but its
own, and requires `id` and `type`."""


def check_csl(item: Mapping[str, Any]) -> None:
    assert {"id", "type"} <= item.keys() <= CSL_VARIABLES
    assert item["type"] in CSL_TYPES
    for name, value in item.items():
        match name:
            case "author":
                assert [each.keys() for each in value] == [{"literal"}]
            case "issued" | "accessed":
                assert value.keys() == {"date-parts"}
                ((year, month, day),) = value["date-parts"]
                datetime.date(year, month, day)
            case _:
                assert isinstance(value, str), name
                assert value


def read_bibtex(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """Type, key and fields of each entry, as BibTeX reads them: values in braces that are in balance, or a month."""
    entries, at = [], 0
    while at < len(text):
        begun = re.compile(r"\s*@(\w+)\{([^\s,{}\\#%~\"]+),\n").match(text, at)
        assert begun, text[at:]
        at, fields = begun.end(), {}
        while not text.startswith("}\n", at):
            name = re.compile(r"  (\w+) = ").match(text, at)
            assert name, text[at:]
            end = _end_of_value(text, name.end())
            fields[name[1]] = text[name.end() : end]
            at = end + (2 if text[end] == "," else 1)
        at += 2
        entries.append((begun[1], begun[2], fields))
    return entries


def _end_of_value(text: str, at: int) -> int:
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0 and text[place] in ",\n":
            return place
    raise AssertionError(text[at:])


@pytest.fixture
def maker(engine: Engine) -> RecordMaker:
    with engine.begin() as connection:
        return fill(connection, seed=61, each=25)


@pytest.fixture
def site(database_url: str, maker: RecordMaker) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


@pytest.fixture
def cited(engine: Engine, maker: RecordMaker) -> RecommendationRecord:
    """A recommendation with a report, a corrigendum, a matrix and a database, all of them told of by documents."""
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM documents")
        documents = [
            _document("A-HRC-22-15", "A/HRC/22/15", "working_group_report", "Report of the Working Group"),
            _document("A-HRC-22-15-Corr.1", "A/HRC/22/15/Corr.1", "working_group_report", None),
            _document("doc-0123456789ab", None, "matrix", None),
            _document("doc-upr-info", None, "upr_info", "UPR Info's database"),
        ]
        DOCUMENTS.insert(connection, documents)
        record = replace(
            maker.recommendation(),
            state_under_review="PER",
            number="116.17",
            part=None,
            text="Garantizar 100 % & más: {sic}",
            text_language="es",
            translations={},
            recommending_states=("MEX",),
            sources=[
                _source("doc-upr-info", None, "upr_info", None, None),
                _source("doc-0123456789ab", None, "matrix", "116.17", 3),
                _source("A-HRC-22-15-Corr.1", "A/HRC/22/15/Corr.1", "working_group_report", "116.17", 1),
                _source("A-HRC-22-15", "A/HRC/22/15", "working_group_report", "116.17", 16),
            ],
        )
        RECOMMENDATIONS.insert(connection, [record])
    return record


def _document(document_id: str, symbol: str | None, kind: str, title: str | None) -> DocumentRecord:
    return DocumentRecord(
        id=document_id,
        symbol=symbol,
        kind=kind,
        title=title,
        published_on=datetime.date(2012, 12, 27) if symbol else None,
        state_under_review="PER",
        languages=("en",),
        files=[],
    )


def _source(document: str, symbol: str | None, kind: str, number: str | None, page: int | None) -> SourceEntry:
    return SourceEntry(
        document=document,
        file="0" * 64,
        symbol=symbol,
        kind=kind,
        number=number,
        page=page,
        paragraph="116",
        parser=kind,
        parser_version="1",
    )


def test_a_recommendation_is_cited_as_the_report_it_stands_in(site: Site, cited: RecommendationRecord) -> None:
    answer = site.json(f"/v1/recommendations/{cited.id}/citation")
    version = answer["dataset"]["version"]
    today = datetime.datetime.now(datetime.UTC).date()
    assert answer["text"].startswith(
        "Human Rights Council, Working Group on the Universal Periodic Review, “Report of the Working Group: Peru”, "
        "27 December 2012, A/HRC/22/15, para. 116.17, p. 16 (recommendation by Mexico). "
        f"Via OpenUPR, dataset version {version}, accessed on {today.day} "
    )
    assert answer["text"].endswith(f"{today.year}: {PUBLIC}/recommendations/{cited.id}")
    assert answer["url"] == f"{PUBLIC}/recommendations/{cited.id}"
    assert answer["pieces"] == {
        "author": "Human Rights Council, Working Group on the Universal Periodic Review",
        "title": "Report of the Working Group: Peru",
        "container": None,
        "issued": "2012-12-27",
        "symbol": "A/HRC/22/15",
        "pinpoint": "para. 116.17",
        "page": 16,
        "remark": "recommendation by Mexico",
    }
    ((kind, key, fields),) = read_bibtex(answer["bibtex"])
    assert (kind, key) == ("techreport", answer["key"])
    assert fields["number"] == "{A/HRC/22/15, para. 116.17}"
    assert (fields["year"], fields["month"], fields["day"]) == ("{2012}", "dec", "{27}")
    assert fields["abstract"] == r"{Garantizar 100 \% \& m{\'{a}}s: \textbraceleft{}sic\textbraceright{}}"
    assert fields["urldate"] == f"{{{today}}}"
    assert answer["csl_json"]["number"] == "A/HRC/22/15, para. 116.17"
    assert answer["csl_json"]["issued"] == {"date-parts": [[2012, 12, 27]]}
    assert answer["csl_json"]["language"] == "es"


@pytest.mark.parametrize(
    ("language", "part"),
    [
        ("en", "27 December 2012, A/HRC/22/15, para. 116.17, p. 16 (recommendation by Mexico)"),
        ("es", "27 de diciembre de 2012, A/HRC/22/15, párr. 116.17, pág. 16 (recomendación de México)"),
        ("fr", "27 décembre 2012, A/HRC/22/15, par. 116.17, p. 16 (recommandation, auteur(s)\u00a0: Mexique)"),
        ("pt", "27 de dezembro de 2012, A/HRC/22/15, par. 116.17, p. 16 (recomendação de México)"),
    ],
)
def test_in_each_language(site: Site, cited: RecommendationRecord, language: str, part: str) -> None:
    answer = site.get(f"/v1/recommendations/{cited.id}/citation", format="text", lang=language)
    assert part in answer.text
    assert answer.headers["content-language"] == language


def test_what_a_data_set_alone_tells_is_an_entry_of_it(engine: Engine, site: Site, cited: RecommendationRecord) -> None:
    with engine.begin() as connection:
        alone = replace(cited, number=None, sources=cited.sources[:1])
        RECOMMENDATIONS.update(connection, [alone])
    answer = site.json(f"/v1/recommendations/{cited.id}/citation")
    assert answer["text"].startswith(
        "UPR Info, “Recommendation to Peru”, in UPR Info’s database (recommendation by Mexico). Via OpenUPR,"
    )
    assert answer["csl_json"]["type"] == "entry"
    ((kind, _, fields),) = read_bibtex(answer["bibtex"])
    assert (kind, fields["howpublished"]) == ("misc", "{UPR Info's database}")
    assert "pages" not in fields


@pytest.mark.parametrize(("number", "pinpoint"), [("24.b", "para. 24 (b)"), ("52.3", "para. 52.3"), (None, None)])
def test_pinpoints(
    engine: Engine, site: Site, cited: RecommendationRecord, number: str | None, pinpoint: str | None
) -> None:
    with engine.begin() as connection:
        source = SourceEntry(**{**cited.sources[-1], "number": number})
        RECOMMENDATIONS.update(connection, [replace(cited, number=number, sources=[source])])
    assert site.json(f"/v1/recommendations/{cited.id}/citation")["pieces"]["pinpoint"] == pinpoint


def test_every_record_of_every_noun_in_every_language(site: Site) -> None:
    for noun in AGGREGATES:
        for row in site.json(f"/v1/{noun}", limit=8)["data"]:
            for language in LANGUAGES:
                answer = site.json(f"/v1/{noun}/{row['id']}/citation", lang=language)
                CitationAnswer.model_validate(answer)
                assert answer["url"] == row["url"]
                check_csl(answer["csl_json"])
                ((_, key, fields),) = read_bibtex(answer["bibtex"])
                assert key == answer["key"] == answer["csl_json"]["id"]
                assert fields["url"] == f"{{{row['url']}}}"
                assert "None" not in answer["text"]
                assert "\n" not in answer["text"]


def test_keys_are_stable_and_apart(site: Site) -> None:
    keys = [
        site.json(f"/v1/{noun}/{row['id']}/citation", lang=language)["key"]
        for language in ("en", "es")
        for noun in AGGREGATES
        for row in site.json(f"/v1/{noun}", limit=8)["data"]
    ]
    half = len(keys) // 2
    assert keys[:half] == keys[half:]
    assert len(set(keys)) == half


def test_the_same_by_format_and_by_accept(site: Site) -> None:
    record = site.json("/v1/recommendations", limit=1)["data"][0]["id"]
    address = f"/v1/recommendations/{record}/citation"
    whole = site.json(address)
    written = {"text": f"{whole['text']}\n", "bibtex": whole["bibtex"]}
    for form in FORMS:
        answer = site.get(address, format=form.name)
        assert answer.headers["content-type"] == f"{form.media_type}; charset=utf-8"
        assert answer.links["describes"]["url"] == f"{PUBLIC}/recommendations/{record}"
        by_accept = site.client.get(address, headers={"Accept": form.media_type})
        assert (by_accept.text, by_accept.headers["content-type"]) == (answer.text, answer.headers["content-type"])
        if form.name == "csl-json":
            assert json.loads(answer.text) == [whole["csl_json"]]
        else:
            assert answer.text == written[form.name]
    for accept in ("*/*", "application/json", "text/html", "text/plain;q=0.5, application/json"):
        assert site.client.get(address, headers={"Accept": accept}).json() == whole
    assert site.client.get(address, params={"format": "json"}, headers={"Accept": "text/plain"}).json() == whole


def test_a_list_is_cited_with_its_query_total_and_version(site: Site) -> None:
    query = "state_under_review=PER&position=pending&position=noted&recommending_region=grulac"
    listed = site.json(f"/v1/recommendations?{query}")
    answer = site.json(f"/v1/recommendations/citation?{query}")
    assert (answer["total"], answer["dataset"]) == (listed["total"], listed["dataset"])
    assert site.json(answer["url"])["data"] == listed["data"]
    assert answer["pieces"]["title"] == (
        "Recommendations (State under review: Peru; recommending region: Latin American and Caribbean States; "
        "position: pending or noted)"
    )
    assert f"Dataset version {listed['dataset']['version']}" in answer["text"]
    assert answer["csl_json"]["version"] == listed["dataset"]["version"]
    turned = "recommending_region=grulac&position=noted&state_under_review=PER&position=pending&lang=en"
    assert site.json(f"/v1/recommendations/citation?{turned}")["key"] == answer["key"]
    assert site.json("/v1/recommendations/citation?position=noted")["key"] != answer["key"]


def test_lists_of_every_noun(site: Site) -> None:
    for noun in AGGREGATES:
        answer = site.json(f"/v1/{noun}/citation")
        CitationAnswer.model_validate(answer)
        assert answer["url"] == f"{PUBLIC}/v1/{noun}"
        assert answer["total"] == site.json(answer["url"], limit=1)["total"]
        check_csl(answer["csl_json"])
        read_bibtex(answer["bibtex"])


def test_a_label_is_cited_as_it_was_asked_for(site: Site) -> None:
    asked = site.json("/v1/recommendations/citation?theme=women-s-rights")
    assert asked["url"] == f"{PUBLIC}/v1/recommendations?theme=women-s-rights"


def test_counts(site: Site) -> None:
    for noun in COUNTED_NOUNS:
        query = "group_by=year,state_under_review&date_from=2010-01-01"
        answer = site.json(f"/v1/statistics/{noun}/citation?{query}")
        counted = site.json(f"/v1/statistics/{noun}?{query}")
        assert (answer["total"], answer["dataset"]) == (counted["total"], counted["dataset"])
        assert site.json(answer["url"]) == counted
        assert "by year and State under review (not before: 2010-01-01)" in answer["pieces"]["title"]


def test_every_answer_says_where_its_citation_is(site: Site) -> None:
    for address in (
        "/v1/recommendations?position=noted&sort=-date&limit=1&lang=es",
        "/v1/statistics/recommendations?group_by=cycle,position&region=grulac&limit=3",
        "/v1/states/PER",
        "/v1/labels/sdg:16",
    ):
        citation = site.json(site.get(address).links["describedby"]["url"])
        CitationAnswer.model_validate(citation)
        if (total := site.json(address).get("total")) is not None:
            assert citation["total"] == total


def test_a_former_id_and_a_number_of_several(engine: Engine, site: Site, maker: RecordMaker) -> None:
    review = maker.reviews[0].id
    parts = [replace(maker.recommendation(), id=f"{review}-900.1-{part}", part=part, sort_key=part) for part in "ab"]
    moved = replace(maker.recommendation(), aliases=(f"{review}~0123456789",))
    with engine.begin() as connection:
        RECOMMENDATIONS.insert(connection, [*(replace(each, review=review) for each in parts), moved])
    answer = site.get(f"/v1/recommendations/{review}~0123456789/citation?format=text")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/data/v1/recommendations/{moved.id}/citation?format=text"
    several = site.get(f"/v1/recommendations/{review}-900.1/citation")
    assert several.status_code == 300
    assert [each["url"] for each in several.json()["parts"]] == [f"{PUBLIC}/recommendations/{p.id}" for p in parts]
    bibtex = site.get(f"/v1/recommendations/{review}-900.1/citation?format=bibtex")
    assert (bibtex.status_code, len(read_bibtex(bibtex.text))) == (300, 2)
    csl = site.get(f"/v1/recommendations/{review}-900.1/citation?format=csl-json")
    assert len(csl.json()) == 2


def test_held_citations_are_not_sent_again(site: Site) -> None:
    address = "/v1/recommendations/citation?position=noted"
    first = site.get(address)
    assert site.client.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert first.headers["cache-control"] == "public, no-cache"
    assert "last-modified" not in first.headers  # the day of access is not a change of the data


def test_the_number_of_queries(site: Site) -> None:
    for noun in AGGREGATES:
        record = site.json(f"/v1/{noun}", limit=1)["data"][0]["id"]
        with site.counted() as statements:
            site.json(f"/v1/{noun}/{record}/citation")
        assert len(statements) <= 3
        with site.counted() as statements:
            site.json(f"/v1/{noun}/citation")
        assert len(statements) == 2


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/v1/recommendations/PER-9-1.1/citation", 404, "not_found"),
        ("/v1/states/XXX/citation", 404, "not_found"),
        ("/v1/states/PER/citation?format=ris", 400, "invalid_parameter"),
        ("/v1/states/PER/citation?lang=de", 400, "invalid_parameter"),
        ("/v1/states/PER/citation?region=grulac", 400, "unknown_parameter"),
        ("/v1/recommendations/citation?limit=5", 400, "unknown_parameter"),
        ("/v1/recommendations/citation?state_under_review=PERU", 400, "invalid_parameter"),
        ("/v1/recommendations/citation?group_by=topic", 400, "unknown_parameter"),
        ("/v1/statistics/recommendations/citation", 400, "invalid_parameter"),
        ("/v1/statistics/recommendations/citation?group_by=colour", 400, "invalid_parameter"),
    ],
)
def test_what_cannot_be_cited(site: Site, address: str, status: int, code: str) -> None:
    problem(site.get(address), status, code)


def test_keys_hold_nothing_that_latex_stumbles_at() -> None:
    for name in ("PER-2~0123456789", "sdg:16", "upr-14-PER.ESP.dialogue.1", "iachr-191~abc", "a_b#c%d"):
        cited = Citation(
            name=name,
            kind="entry",
            title="x",
            address="x",
            version="1-a",
            accessed=datetime.date(2026, 1, 1),
            language="en",
            item_language="en",
        )
        assert re.fullmatch(r"openupr-[A-Za-z0-9.+-]+", cited.key)
