"""What must become of each hostile file."""

from collections.abc import Callable

Make = Callable[[], bytes]

EXPECTED: dict[str, tuple[str, Make]] = {}


def expects(code: str) -> Callable[[Make], Make]:
    """Note a hostile file, and the code with which it must be refused."""

    def note(make: Make) -> Make:
        assert make.__name__ not in EXPECTED
        EXPECTED[make.__name__] = (code, make)
        return make

    return note
