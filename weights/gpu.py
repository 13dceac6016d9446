"""Carry a training of the bundled weights to a machine with a GPU and back; gpu.sh runs it there.

`python weights/gpu.py pack PACKED RECIPE [TYPE]` writes `.weights/gpu/`: the packed folder, the encoder, the training
so far and the Python packages of PACKAGES. The training is set to the recipe's settings for the device TYPE, 'cuda' by
default. The arrays are compressed once, into `.weights/arrays/`. `restore FOLDER RECIPE` puts what came back under
`.weights/`, and a finished model into `backend/bundled/`. `settings PACKED RECIPE TYPE` sets a training that came back
to another device type. `unpack`, `train` and `collect` are gpu.sh's: they restore the archives there, train, and write
the parts that come back.

Land cover, labels and lines travel without loss, images as WebP. A checkpoint that is too large is rounded: weights to
11 bits, as in fp16, and the optimizers' moments to 7, as in bf16.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save as serialized

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.append(".weights/packages")  # last: what the machine has itself is used

from backend.datasets.layout import PACKED_INDEX  # noqa: E402
from backend.protocol import CHECKPOINTS, partial_path  # noqa: E402

WORK = Path(".weights")  # as in make.py, which is imported where it is needed: it takes torch seconds to load
PACKAGES = ("diffusers", "segmentation-models-pytorch")
"""Pure Python distributions that the training imports beside torchvision, timm, accelerate and what these need."""
UNUSED = ("diffusers/pipelines/*/*", "diffusers/modular_pipelines/*/*", "*.pyc", "*/RECORD")
"""Files of PACKAGES that no training imports; nearly all of diffusers' size."""
LIMIT = 64 * 2**20 - 2**19
"""Bytes that the archive and the tracked files may have together."""
ARRAYS = {"landcover": ("landcover",), "tiles": ("image", "label", "fine", "lines")}
"""The kinds of packed arrays by kind of data."""
PART = 15 * 10**6
"""Bytes of a part of what comes back."""
QUALITIES = ((90, False), (90, True), (85, True), (80, True), (75, True))
"""WebP's quality and whether a checkpoint is rounded, from the best on: the first that fits is used."""
IMAGE, PLANES = ".webp", ".planes"  # endings of archive entries that hold a tile, and the byte planes of tensors
WEIGHT_BITS, MOMENT_BITS = 11, 7  # of the mantissa's 23
MIN_ROUNDED = 1024  # numbers: smaller tensors, such as norms' statistics, are exact


def _rounded(array: np.ndarray, bits: int) -> np.ndarray:
    """Float32 numbers rounded to so many bits of mantissa."""
    dropped = 23 - bits
    raw = array.view(np.uint32).astype(np.uint64)
    raw = (raw + (1 << (dropped - 1))) >> dropped << dropped
    return raw.astype(np.uint32).view(np.float32)


def _rounded_tensors(path: Path) -> bytes:
    """A safetensors file's bytes with rounded tensors."""
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    moments = set(re.findall(r'\["exp_avg(?:_sq)?", \{"tensor": "(\d+)"\}\]', (metadata or {}).get("state", "")))
    for key, array in tensors.items():
        if array.dtype == np.float32 and array.size >= MIN_ROUNDED:
            tensors[key] = _rounded(array, MOMENT_BITS if key in moments else WEIGHT_BITS)
    return serialized(tensors, metadata)


def _planes(data: bytes) -> bytes:
    """Every fourth byte together, which makes the exponents of float32 compressible, after 8 bytes of length."""
    padded = np.frombuffer(data + bytes(-len(data) % 4), np.uint8)
    return len(data).to_bytes(8, "little") + padded.reshape(-1, 4).T.tobytes()


def _from_planes(data: bytes) -> bytes:
    """The inverse of `_planes`."""
    length, planes = int.from_bytes(data[:8], "little"), np.frombuffer(data, np.uint8, offset=8)
    return planes.reshape(4, -1).T.tobytes()[:length]


def _webp(image: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, path: Path, rounded: bool = False, quality: int = 0) -> None:
    """Add a file under a name, as its ending asks for; `quality` is that of images (N, h, w, 3)."""
    if path.name.endswith("_image.npy") and quality:
        for number, image in enumerate(np.load(path, mmap_mode="r", allow_pickle=False)):
            archive.writestr(f"{name}/{number:06d}{IMAGE}", _webp(image, quality), zipfile.ZIP_STORED)
    elif path.suffix == ".npy":
        archive.write(path, name, zipfile.ZIP_LZMA)
    elif path.suffix == ".safetensors":
        data = _rounded_tensors(path) if rounded else path.read_bytes()
        archive.writestr(name + PLANES, _planes(data), zipfile.ZIP_BZIP2)
    else:
        archive.write(path, name, zipfile.ZIP_DEFLATED)


def _extract(archive: zipfile.ZipFile, root: Path) -> None:
    """Restore the files of an archive, all of them below `.weights/`."""
    tiles: dict[Path, list[np.ndarray]] = {}
    for name in archive.namelist():
        parts = PurePosixPath(name).parts
        if parts[0] != str(WORK) or ".." in parts:
            raise SystemExit(f"An archive has the entry {name}, which is not below {WORK}.")
        path, data = root.joinpath(*parts), archive.read(name)
        if path.suffix == IMAGE:
            tiles.setdefault(path.parent, []).append(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == PLANES:
            path, data = path.with_suffix(""), _from_planes(data)
        path.write_bytes(data)
    for path, images in tiles.items():
        np.save(path, np.stack(images))


def _training_files(recipe: str, with_samples: bool) -> Iterator[Path]:
    """The files of a recipe's training that another machine needs to go on, or that a person looks at.

    Packed data and latents are made again; a finished stage's checkpoint is not read again.
    """
    folder = WORK / recipe
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        place = path.relative_to(folder).parts
        finished = path.suffix == ".safetensors" and "budget" in _json(path.with_suffix(".json"))
        if path.is_file() and not (
            place[:2] in ((CHECKPOINTS, "latents"), (CHECKPOINTS, "data"))
            or (place[0] == CHECKPOINTS and finished)
            or (place[0] == "samples" and not with_samples)
        ):
            yield path


def _json(path: Path) -> dict:
    """A JSON file's object, empty where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _package_files(name: str) -> Iterator[tuple[str, Path]]:
    """The files of an installed distribution that UNUSED does not match, with their names in site-packages."""
    for file in importlib.metadata.files(name) or []:
        if not file.is_absolute() and ".." not in file.parts and not any(map(PurePosixPath(file).match, UNUSED)):
            if file.suffix in (".so", ".pyd"):
                raise SystemExit(f"{name} holds compiled code, {file}, which another machine may not run.")
            yield str(PurePosixPath(file)), Path(str(file.locate()))


def _tracked_bytes() -> int:
    """The size of the repository's tracked files."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True).stdout
    paths = [HERE.parent / name for name in listed.decode().split("\0") if name]
    return sum(path.stat().st_size for path in paths if path.is_file())


def set_device_type(packed: Path, recipe: str, device_type: str) -> None:
    """Give a recipe's training the settings for another device type: its batch, and its minutes in proportion."""
    from weights import make

    folder = WORK / recipe / CHECKPOINTS
    settings = _json(folder / "job.json")
    job = make.job_of(recipe, packed, device_type)
    others = [make.job_of(recipe, packed, other) for other in ("cpu", "cuda")]
    before = next((other for other in others if settings and other.batch == settings["batch"]), job)
    if before.batch == job.batch:
        return
    factor = job.minutes / before.minutes
    for path in folder.glob("*.safetensors"):
        _scale_checkpoint(path, factor, job.batch)
    for path in folder.glob("*.json"):
        fields = _json(path)
        if fields.get("budget"):
            fields["budget"]["minutes"] *= factor
            path.write_text(json.dumps(fields), encoding="utf-8")
    (folder / "job.json").write_text(json.dumps({**settings, "batch": job.batch}, indent=1), encoding="utf-8")
    print(f"{recipe}: a batch of {job.batch} instead of {before.batch}, minutes times {factor:.3g}")


def _scale_checkpoint(path: Path, factor: float, batch: int) -> None:
    """Scale a checkpoint's elapsed time, and replace its batch."""
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    state = json.loads(metadata["state"])
    counters = dict(state["dict"])["progress"]["dict"]
    for counter in counters:
        if counter[0] == "elapsed":
            counter[1] *= factor
        elif counter[0] == "batch":
            counter[1] = batch
    path.write_bytes(serialized(tensors, {"state": json.dumps(state)}))


def _write_arrays(path: Path, packed: Path, kind: str, quality: int) -> None:
    """Write an archive of a packed folder's image tiles or land cover, unless it is there already."""
    if path.is_file():
        return
    files = [packed / PACKED_INDEX]
    for name in _json(packed / PACKED_INDEX)[kind]:
        files += [file for array in ARRAYS[kind] if (file := packed / f"{name}_{array}.npy").is_file()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(partial_path(path), "w") as archive:
        for file in files:
            _add(archive, file.as_posix(), file, quality=quality)
    partial_path(path).replace(path)


def pack(packed: str, recipe: str, device_type: str = "cuda") -> None:
    """Write the archives of a recipe into `.weights/gpu/`, in the best quality that fits beside the tracked files."""
    from weights import make

    folder, target = Path(packed), WORK / "gpu"
    job = make.job_of(recipe, folder, device_type)
    kind = "landcover" if recipe == "landcover" else "tiles"
    if not _json(folder / PACKED_INDEX).get(kind):
        raise SystemExit(f"{folder} holds no packed {kind}, from which {recipe} is trained.")
    if folder.is_absolute() or folder.parts[0] != str(WORK):
        raise SystemExit(f"PACKED must be below {WORK}: the training has the same paths on both machines.")
    set_device_type(folder, recipe, device_type)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    encoder = getattr(job, "encoder_weights", "")
    key = hashlib.sha256((folder / PACKED_INDEX).read_bytes()).hexdigest()[:8]
    with zipfile.ZipFile(target / f"{recipe}_common.zip", "w") as archive:
        if encoder:
            _add(archive, Path(encoder).as_posix(), Path(encoder), rounded=True)
        for name, path in (pair for package in PACKAGES for pair in _package_files(package)):
            _add(archive, f"{WORK}/packages/{name}", path)
    tracked = _tracked_bytes()
    for quality, rounded in QUALITIES:
        arrays = WORK / "arrays" / f"{kind}_{key}_{quality if kind == 'tiles' else 0}.zip"
        _write_arrays(arrays, folder, kind, quality)
        shutil.copyfile(arrays, target / f"{recipe}_arrays.zip")
        with zipfile.ZipFile(target / f"{recipe}_training.zip", "w") as archive:
            for path in _training_files(recipe, with_samples=False):
                _add(archive, path.as_posix(), path, rounded)
        size = sum(path.stat().st_size for path in target.iterdir())
        text = f"{target}: {size / 2**20:.1f} MiB, with the tracked files {(size + tracked) / 2**20:.1f} MiB"
        print(f"{text}; images in quality {quality}, checkpoint {'rounded' if rounded else 'exact'}")
        if size + tracked <= LIMIT:
            return
    raise SystemExit("That is too much in any quality.")


def unpack(recipe: str) -> None:
    """Restore the archives of a recipe; `.weights/RECIPE` is replaced."""
    shutil.rmtree(WORK / recipe, ignore_errors=True)
    for path in sorted((WORK / "gpu").glob(f"{recipe}_*.zip")):
        with zipfile.ZipFile(path) as archive:
            _extract(archive, Path())


def train(recipe: str) -> None:
    """Train a recipe whose archive is unpacked, until it is finished or SIGTERM arrives."""
    from weights import make

    with zipfile.ZipFile(WORK / "gpu" / f"{recipe}_arrays.zip") as archive:
        packed = next(Path(name).parent for name in archive.namelist() if Path(name).name == PACKED_INDEX)
    make.stop_on_sigterm()
    sys.exit(make.main(packed, (recipe,)))


def collect(recipe: str, out: str) -> None:
    """Write a recipe's training to `RECIPE.zip.0` and so on in a folder, with their hash in `RECIPE.json`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in _training_files(recipe, with_samples=True):
            _add(archive, path.as_posix(), path)
    data = buffer.getvalue()
    starts = range(0, len(data), PART)
    for number, start in enumerate(starts):
        (Path(out) / f"{recipe}.zip.{number}").write_bytes(data[start : start + PART])
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "parts": len(starts)}
    (Path(out) / f"{recipe}.json").write_text(json.dumps(entry), encoding="utf-8")


def restore(out: str, recipe: str) -> None:
    """Put a recipe's training that came back in place of the one here, and bundle its model where it is finished."""
    entry = _json(Path(out) / f"{recipe}.json")
    if not entry:
        raise SystemExit(f"{out} holds no {recipe}.json.")
    data = b"".join((Path(out) / f"{recipe}.zip.{number}").read_bytes() for number in range(entry["parts"]))
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise SystemExit(f"The parts of {recipe}.zip in {out} are damaged or incomplete. Copy them again.")
    shutil.rmtree(WORK / recipe / CHECKPOINTS, ignore_errors=True)  # samples of earlier calls stay
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        _extract(archive, Path())
    finished = (WORK / recipe / "model_index.json").is_file()
    if finished:
        from weights import make

        make.bundle(make.job_of(recipe, Path(), "cpu"), HERE.parent / "backend" / "bundled" / recipe)
    print(f"{recipe} is {'finished and bundled' if finished else 'not finished: pack it again'}.")


def settings(packed: str, recipe: str, device_type: str) -> None:
    """Set a training to another device type, see `set_device_type`."""
    set_device_type(Path(packed), recipe, device_type)


COMMANDS = {f.__name__: f for f in (pack, unpack, train, collect, restore, settings)}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
