import json
from pathlib import Path

from services.ingest.datasets import data_set_for
from services.ingest.sources import source_of
from services.ingest.sources.uhri.adapter import UhriExport
from tests.ingest.sources.sites import Answer, Asked, serving
from tests.ingest.sources.visits import visiting

SAMPLE = Path(__file__).parents[2] / "datasets" / "samples" / "uhri.json"


def test_the_whole_export_is_one_file_that_may_be_large(tmp_path: Path) -> None:
    def exports(asked: Asked) -> Answer:
        if asked.path == "/uhri/export-results/export-full-en.json":
            return Answer(SAMPLE.read_bytes(), 200, {"Content-Type": "application/json"})
        return Answer(b'{"message": "a token is needed"}', 401)

    with serving(exports) as site:
        visited = visiting(tmp_path, {"exports": f"{site.address}/uhri/export-results"})
        (file,) = UhriExport().find(visited.visit)
        got = visited.visit.fetch(file.address, kinds=file.kinds, most_bytes=file.most_bytes)
    data_set = data_set_for(got.path)
    assert data_set is not None
    assert data_set.parser == "uhri"
    assert json.loads(got.path.read_bytes()) == json.loads(SAMPLE.read_bytes())
    assert file.most_bytes is not None
    assert file.most_bytes > 400_000_000
    assert not file.may_be_missing


def test_the_export_is_where_it_was_seen() -> None:
    assert source_of(UhriExport()).description.sites == {"exports": "https://dataex.ohchr.org/uhri/export-results"}
