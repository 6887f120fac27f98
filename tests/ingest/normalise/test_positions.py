"""What lead-in paragraphs say of a State's position."""

import pytest

from services.ingest.normalise.positions import read_position

FORMULATED = "The recommendations formulated during the interactive dialogue and listed below "
FOLLOWING = "The following recommendations "


@pytest.mark.parametrize(
    ("lead_in", "position", "detail", "phrase"),
    [
        (f"{FORMULATED}enjoy the support of Peru:", "supported", None, "enjoy the support of Peru"),
        (f"{FORMULATED}have been examined by Turkey and enjoy its support:", "supported", None, "enjoy its support"),
        (
            f"{FORMULATED}enjoy the support of the State party:",
            "supported",
            None,
            "enjoy the support of the State party",
        ),
        (
            f"{FOLLOWING}enjoy the support of Peru, which considers that they are already implemented:",
            *("supported", "implemented", "enjoy the support of Peru"),
        ),
        (
            f"{FOLLOWING}enjoy the support of Peru which considers that they are in the process of implementation:",
            *("supported", "in_process", "enjoy the support of Peru"),
        ),
        (
            f"{FOLLOWING}will be examined by Peru, which will provide responses in due time, but no later than March:",
            *("pending", None, "will be examined by Peru"),
        ),
        (
            "The response of Peru to these recommendations will be included in the outcome report.",
            *("pending", None, "response of Peru to these recommendations will be included in the outcome report"),
        ),
        (
            "The recommendations below did not enjoy the support of Peru and would thus be noted:",
            *("noted", "not_supported", "did not enjoy the support of Peru"),
        ),
        (
            "Senegal considers that the recommendations below cannot be accepted:",
            *("noted", "not_supported", "cannot be accepted"),
        ),
        ("The recommendations were noted by Peru:", "noted", None, "were noted by Peru"),
        (f"{FOLLOWING}have been examined by Peru and have been noted:", "noted", None, "have been noted"),
        (
            "The recommendations that were partially accepted by Peru are:",
            *("noted", "partial", "partially accepted by Peru are"),
        ),
        (
            f"{FORMULATED}enjoy the support of Chad. Chad gave its views on those that did not enjoy its support:",
            *("supported", None, "enjoy the support of Chad"),
        ),
    ],
)
def test_lead_ins(lead_in, position, detail, phrase):
    printed = read_position(lead_in)
    assert printed is not None
    assert (printed.position, printed.detail, printed.phrase) == (position, detail, phrase)


@pytest.mark.parametrize(
    "lead_in",
    [
        "In the course of the discussion, the following recommendations were made to Peru:",
        "The recommendations formulated during the dialogue have been examined by the Dominican Republic.",
    ],
)
def test_a_lead_in_that_leaves_the_position_open(lead_in):
    printed = read_position(lead_in)
    assert printed is not None
    assert printed.position is None


def test_words_that_are_not_known():
    assert read_position("The weather was examined at length") is None
