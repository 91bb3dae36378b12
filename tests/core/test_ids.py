"""Ids of candidates: made and parsed in one form."""

import pytest

from eureka.core.ids import candidate_id, generation_of, is_candidate_id, place_of, sample_of


def test_an_id_is_made_and_parsed() -> None:
    assert candidate_id(2, 5) == "g02-c05"
    assert candidate_id(12, 103) == "g12-c103"
    assert place_of("g12-c103") == (12, 103)
    assert (generation_of("g02-c05"), sample_of("g02-c05")) == (2, 5)


@pytest.mark.parametrize("text", ["best", "g2-c5", "g02-c005", "../g02-c05", "g02-c05\n", "g٢٢-c05", "", "g02-c05/.."])
def test_another_form_is_no_id(text: str) -> None:
    assert not is_candidate_id(text)
    with pytest.raises(ValueError, match="is not a candidate id such as g02-c05"):
        place_of(text)
