"""How hard the property and fuzz tests try: a little in every run, much more in `make soak`.

`UPR_TEST_EFFORT=50` multiplies what these tests try by 50. Mark them with `soak`, so that `make soak` finds them.
"""

import os

EFFORT = max(1, int(os.environ.get("UPR_TEST_EFFORT", "1")))


def examples(usual: int) -> int:
    """How many examples to try, where `usual` are tried in every run."""
    return usual * EFFORT
