"""Public ids."""

from __future__ import annotations

import re

from portal.models import ids


def test_an_id_is_its_kinds_letter_and_eight_signs_that_read_unlike_each_other():
    assert re.fullmatch(r"R-[2-9A-HJ-NP-TV-Z]{8}", ids.public_id("R"))
    assert not set("01IOU") & set(ids.ALPHABET)


def test_ids_count_nothing():
    made = [ids.maker("Q")() for _ in range(1000)]

    assert len(set(made)) == 1000
    assert made != sorted(made)
