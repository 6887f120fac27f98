"""The samples are what their texts say, byte for byte."""

import filecmp

from samples.write import DOCUMENTS, NOTICE, main
from services.core.store.seed import facts
from services.ingest.parsers.text.sniff import open_text, sniff


def test_the_committed_files_are_what_is_written(tmp_path):
    main(tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(path.name for path in DOCUMENTS.iterdir())
    assert filecmp.cmpfiles(tmp_path, DOCUMENTS, written, shallow=False) == (written, [], [])


def test_every_sample_says_what_it_is():
    for path in DOCUMENTS.iterdir():
        data = path.read_bytes()
        assert NOTICE in [block.text for block in open_text(data, sniff(data)).blocks]


def test_invented_states_have_codes_that_iso_3166_leaves_to_users():
    codes = [row["iso3"] for row in facts("sample_states")]
    assert len(set(codes)) == len(codes) > 10
    assert all(len(code) == 3 and code.startswith("X") and code.isupper() for code in codes)
