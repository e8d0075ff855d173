"""What checkpoints say of their size, by their headers alone; GGUF files are tried in `test_llm_checkpoint`."""

import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.workloads.llm_described import configuration, stored_parameters
from pytest_xeonperf.workloads.llm_sizes import Lengths, footprint_of_checkpoint


@pytest.fixture
def gpt2(tmp_path):
    """A folder of an architecture whose arithmetic nobody knows: 7 * 3 + 5 weights in two files."""
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    save_file({"wte": np.zeros((7, 3), dtype=np.float16)}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"ln": np.zeros(5, dtype=np.float16)}, tmp_path / "model-00002-of-00002.safetensors")
    return tmp_path


def test_the_weights_of_all_files_are_counted(gpt2):
    assert stored_parameters(gpt2) == 26


def test_another_architecture_needs_at_least_its_weights(gpt2):
    lengths = Lengths(prompt_tokens=16, new_tokens=4, batch=2)
    prefill, decode = (footprint_of_checkpoint(gpt2, phase, lengths) for phase in ("prefill", "decode"))
    assert (prefill.parameters, prefill.flop, prefill.weight_passes) == (26, 2 * 32 * 26, 1)
    assert (decode.parameters, decode.flop, decode.weight_passes) == (26, 2 * 8 * 26, 4)


def test_a_folder_of_other_files_does_not_say(gpt2):
    for file in gpt2.glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))
    assert isinstance(stored_parameters(gpt2), Unknown)
    assert isinstance(footprint_of_checkpoint(gpt2, "decode", Lengths(prompt_tokens=1, new_tokens=1)), Unknown)


@pytest.mark.parametrize("name", ["model.safetensors", "model.gguf"])
def test_a_file_that_is_cut_off_is_a_data_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"GGUF\x03\x00\x00")
    path = tmp_path if name.endswith("safetensors") else tmp_path / name
    with pytest.raises(DataError, match="not a readable checkpoint"):
        stored_parameters(path)


def test_looking_at_a_checkpoint_imports_no_torch(gpt2):
    program = (
        "import sys, pathlib; from pytest_xeonperf.workloads.llm_described import *;"
        "path = pathlib.Path(sys.argv[1]); configuration(path); print(stored_parameters(path));"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program, gpt2], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "26"


def test_a_configuration_is_what_the_file_says(gpt2):
    assert configuration(gpt2) == {"model_type": "gpt2"}
