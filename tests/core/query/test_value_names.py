"""What the values of filters are called that are few and fixed."""

from services.core.domain.kinds import KINDS
from services.core.domain.positions import Position, PositionDetail
from services.core.query.analysis import fold
from services.core.query.value_names import fixed_names
from services.core.schemas.names import LANGUAGES
from services.core.schemas.texts import SEARCHED_NOUNS


def test_every_value_has_a_name_in_every_language() -> None:
    values = {filter_: set(names) for filter_, names in fixed_names().items()}
    assert values == {
        "type": set(SEARCHED_NOUNS),
        "position": set(Position),
        "position_detail": set(PositionDetail),
        "kind": {kind for kinds in KINDS.values() for kind in kinds},
    }
    for named in fixed_names().values():
        assert all(names.keys() == set(LANGUAGES) for names in named.values())


def test_a_name_is_of_one_value() -> None:
    for filter_, named in fixed_names().items():
        names = [name for names in named.values() for name in {fold(each) for each in names.values()}]
        assert len(names) == len(set(names)), filter_
