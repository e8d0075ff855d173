"""``xeonperf quantize``: a language model's checkpoint in, the same with int8 or int4 weights out."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.units import show_bytes
from pytest_xeonperf.variants.spec import GROUP_SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from pytest_xeonperf.variants.weight_only import Technique

_CARRIED_OVER = (
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "vocab*",
    "merges.txt",
    "*.jinja",
)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--woq", type=click.Choice(["int8", "int4"]), required=True, help="Bits of a weight.")
@click.option(
    "--group-size",
    type=click.Choice([str(size) for size in GROUP_SIZES]),
    default="128",
    show_default=True,
    help="Weights that share a scale; int4 only.",
)
def command(source: Path, dest: Path, woq: str, group_size: str) -> None:
    """Write the model in SOURCE with quantised Linear layers into the new folder DEST.

    SOURCE is a folder in Hugging Face's layout or a GGUF file. The weights in DEST are unpacked and fit every machine;
    measure them with the marker workload("llm", checkpoint="DEST") and the variants woq_int8 or woq_int4.
    """
    from pytest_xeonperf.variants.apply import technique
    from pytest_xeonperf.workloads.quantised_linear import Scheme

    if dest.exists():
        raise UsageError("is there already", where=str(dest), remedy="name a folder that does not exist")
    chosen = technique(Scheme(woq=woq, group_size=int(group_size) if woq == "int4" else 0))
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=dest.parent, prefix=f".{dest.name}-"))
        try:
            left = quantise(source, unfinished, chosen)
            unfinished.chmod(0o755)
            unfinished.rename(dest)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise InfrastructureError(
            f"cannot be written ({error.strerror})", where=str(dest), remedy="check its permissions and the disk's room"
        ) from error
    for line in left:
        click.echo(f"left as it was: {line}", err=True)
    size_bytes = sum(file.stat().st_size for file in dest.iterdir())
    click.echo(f"{chosen.scheme}, {show_bytes(size_bytes)}", err=True)
    click.echo(dest)


def quantise(source: Path, folder: Path, technique: Technique) -> tuple[str, ...]:
    """Write a checkpoint's quantised form into an empty folder; gives the layers left as they were, with the reason.

    Layer by layer: the source's weights are mapped, and of the quantised ones no more than one file is held.

    Raises:
        DataError: The source is no readable checkpoint, or quantised in another way already.
        NotApplicableError: It has no layer that can be quantised.
    """
    from pytest_xeonperf.variants.weight_only import quantise_linears
    from pytest_xeonperf.workloads import llm_checkpoint
    from pytest_xeonperf.workloads.quantised_checkpoint import Writer
    from pytest_xeonperf.workloads.quantised_linear import StoredLinear

    llm_checkpoint.check(source)
    writer = Writer(folder=folder, scheme=technique.scheme)

    def place(name: str, tensors: Mapping[str, torch.Tensor], bias: nn.Parameter | None) -> nn.Module:
        writer.add_layer(name, dict(tensors))
        return StoredLinear(technique.scheme, {}, bias)  # the bias is left for the rest

    module, left = quantise_linears(llm_checkpoint.build(source), technique, place)
    written: set[int] = set()
    for name, tensor in module.state_dict(keep_vars=True).items():
        if id(tensor) not in written:  # tied weights once
            written.add(id(tensor))
            writer.add(name, tensor.detach())
    writer.finish()
    original = llm_checkpoint.folder_of(source)
    for pattern in _CARRIED_OVER:
        for file in original.glob(pattern):
            shutil.copy(file, folder / file.name)
    return left
