"""Files made to do harm, by code: each a small function that says what must become of the file.

    @expects("zip_bomb")
    def a_bomb() -> bytes: ...

`HOSTILE` has them all by name, with the code of the refusal.
"""

from tests.ingest.hostile import archives, compound, others, pdfs, tables
from tests.ingest.hostile.expected import EXPECTED

HOSTILE = EXPECTED

__all__ = ["HOSTILE", "archives", "compound", "others", "pdfs", "tables"]
