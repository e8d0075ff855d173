"""Images as Segment Anything wants them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.workloads.images import batch, prepare, resized_size


@given(height=st.integers(1, 5000), width=st.integers(1, 5000), side=st.integers(16, 2048))
def test_the_longest_side_fits_exactly_and_the_other_within_half_a_pixel(height, width, side):
    resized = resized_size(height, width, side)
    assert max(resized) == side
    assert abs(min(resized) - min(height, width) * side / max(height, width)) <= 0.5001


def test_colours_are_normalised_and_the_rest_is_zero():
    red = Image.fromarray(np.full((20, 40, 3), (255, 0, 0), dtype=np.uint8))
    prepared = prepare(red, 80)
    assert prepared.shape == (3, 80, 80)
    expected = torch.tensor([(255 - 123.675) / 58.395, -116.28 / 57.12, -103.53 / 57.375])
    torch.testing.assert_close(prepared[:, :40], expected[:, None, None].expand(3, 40, 80))
    assert (prepared[:, 40:] == 0).all()


def test_the_bundled_photograph_fills_a_batch():
    images = batch(None, count=2, side=96)
    assert images.shape == (2, 3, 96, 96)
    assert images.dtype is torch.float32
    assert torch.equal(images[0], images[1])
    assert images[0, :, :64].std() > 0.3


def test_a_users_photographs_are_taken_by_name_and_repeated_in_turn(tmp_path):
    for name, grey in (("b.png", 200), ("a.png", 100)):
        Image.fromarray(np.full((8, 8), grey, dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    images = batch(tmp_path, count=3, side=16)
    assert images[0].mean() < images[1].mean()
    assert torch.equal(images[0], images[2])


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_a_folder_without_images_is_said(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images there"):
        batch(tmp_path / folder, count=1, side=16)


def test_an_unreadable_image_is_named(tmp_path):
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8 and nothing more")
    with pytest.raises(DataError, match=r"torn\.jpg"):
        batch(tmp_path, count=1, side=16)
