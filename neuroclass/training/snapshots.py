"""Where a run keeps the gates and embedding of a few cells, every few epochs."""

from pathlib import Path


def snapshot_file(folder: Path, epoch: int) -> Path:
    """Where an epoch's gates and embedding lie."""
    return folder / f"{epoch:05d}.safetensors"


def snapshot_epochs(folder: Path) -> list[int]:
    """Epochs with gates and embedding, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.safetensors") if path.stem.isdigit())
