"""Databases of recommendations: exports that tell of hundreds of reviews in one file."""

from pathlib import Path

from services.ingest.datasets.base import DataSet, Head
from services.ingest.datasets.uhri import Uhri
from services.ingest.datasets.upr_info_csv import UprInfoCsv
from services.ingest.datasets.upr_info_uwazi import UprInfoUwazi

DATA_SETS: tuple[DataSet, ...] = (UprInfoCsv(), UprInfoUwazi(), Uhri())


def data_set_for(path: Path) -> DataSet | None:
    """The reader of a file that is an export of a data set, by its first bytes; None where it is none, or no file."""
    try:
        head = Head.of(path) if path.is_file() else None
    except OSError:
        return None
    return next((each for each in DATA_SETS if each.recognises(head)), None) if head else None
