from __future__ import annotations

import numpy as np
import pytest

from territory.model.arrays import CHUNK, TEXT, frozen, kept, text_array
from territory.model.cells import Chunks, parts_of


def test_text_arrays_hold_text_and_nothing_else():
    assert text_array(["", "é", "x" * 400]).tolist() == ["", "é", "x" * 400]
    assert text_array(np.array(["a", "b"])).dtype == TEXT
    assert len(text_array([])) == 0
    for bad in ([None], [1], np.array([1, 2]), np.array(["a", None], dtype=object)):
        with pytest.raises(TypeError):
            text_array(bad)


def test_frozen_leaves_the_owner_alone_and_kept_does_not_trust_it():
    owner = np.zeros(2)
    assert frozen(owner).base is owner
    assert owner.flags.writeable
    assert not np.shares_memory(kept(frozen(owner)), owner)
    owner.flags.writeable = False
    assert kept(owner) is owner
    assert kept(np.frombuffer(bytearray(8))).flags.owndata


def test_chunks_hand_out_every_cell():
    cells = [str(i) for i in range(CHUNK + 2)]
    chunks = Chunks(len(cells), lambda first, last: cells[first:last])
    assert list(chunks) == cells
    assert [len(part) for part in parts_of(chunks)] == [CHUNK, 2]
