"""Pictures of an image: a small one for pages and lists, and frames as a viewer shows them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.pixels.processing import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    convert_color_space,
)

from radledger.dicom.errors import DicomTooLarge, PixelsUnreadable
from radledger.dicom.image import ImagePixels
from radledger.dicom.limits import MAX_FRAME_SAMPLES, bounded
from radledger.dicom.native import native_frame
from radledger.dicom.pixels import decode_frame
from radledger.dicom.read import header_of
from radledger.dicom.source import DicomSource, open_dicom
from radledger.texts import one_line

__all__ = ["Shown", "picture", "preview"]

_LARGEST = 2048


@dataclass(frozen=True, slots=True)
class Shown:
    """How a frame is shown.

    Attributes
    ----------
    width, height
        Into how many pixels it has to fit; it is made smaller, never larger.
    window
        From which gray value (black) to which (white), after the modality transformation;
        default: the file's own.
    encoding
        How the picture is encoded.
    quality
        Of JPEG, 1 to 100.
    """

    width: int = 1 << 16
    height: int = 1 << 16
    window: tuple[float, float] | None = None
    encoding: Literal["PNG", "JPEG"] = "PNG"
    quality: int = 90


def preview(path: Path, size: int = 256) -> bytes:
    """A PNG of the middle frame, as a viewer would first show it.

    Gray values go through the modality and VOI transformations (PS3.3 C.11.1, C.11.2), or
    from their 1st to their 99th percentile where the file has no window; MONOCHROME1 is
    inverted, palettes and YBR become RGB.  Pixels that are not square are stretched.

    Parameters
    ----------
    path
        A file with pixel data.
    size
        The longer side in pixels, 16 to 2048; pictures are made smaller, never larger.

    Returns
    -------
    bytes
        PNG, 8 bits gray or RGB.

    Raises
    ------
    PixelsUnreadable
        When there are none, or they cannot be decoded.
    DicomTooLarge
        When one frame has more samples than are decoded.
    DicomError
        What `read_header` raises.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> preview(Path(get_testdata_file("CT_small.dcm", download=False)))[1:4]
    b'PNG'
    """
    size = min(max(size, 16), _LARGEST)

    def render() -> bytes:
        with open_dicom(Path(path)) as source:
            pixels = header_of(source, Path(path)).pixels
            if pixels is None:
                raise PixelsUnreadable("the object has no pixel data to show")
            return picture(source, pixels, pixels.frames // 2, Shown(size, size))

    return bounded(render)


def picture(source: DicomSource, pixels: ImagePixels, index: int, shown: Shown) -> bytes:
    """One frame of an open file as a picture of 8 bits, gray or RGB; see `preview`.

    Parameters
    ----------
    source, pixels
        The file, and what it says of its pixels.
    index
        Which frame, from 0.
    shown
        How.

    Raises
    ------
    PixelsUnreadable
        When it cannot be decoded.
    DicomTooLarge
        When it has more samples than are decoded.
    """
    frame = _frame(source, pixels, index)
    try:
        with disable_value_validation():
            picture = _displayed(frame, pixels, source.dataset, shown.window)
    except MemoryError:
        raise
    except Exception as error:  # pydicom's transformations raise what attributes provoke
        raise PixelsUnreadable(
            f"the pixels cannot be shown: {one_line(error)}", cause=one_line(error)
        ) from error
    return _encoded(picture, pixels, source.dataset, shown)


def _frame(source: DicomSource, pixels: ImagePixels, index: int) -> NDArray[Any]:
    samples = pixels.pixels * pixels.samples
    if samples > MAX_FRAME_SAMPLES:
        raise DicomTooLarge(
            f"a frame of more than {MAX_FRAME_SAMPLES} samples is not shown",
            samples=samples,
            limit=MAX_FRAME_SAMPLES,
        )
    if source.native:
        return native_frame(source, pixels, index)
    return decode_frame(source, pixels, index)


def _displayed(
    frame: NDArray[Any],
    pixels: ImagePixels,
    dataset: Dataset,
    window: tuple[float, float] | None,
) -> NDArray[np.uint8]:
    if pixels.photometric == "PALETTE COLOR":
        return _scaled(apply_color_lut(frame, dataset), 0, None)
    if pixels.samples >= 3:
        if pixels.photometric.startswith("YBR_FULL"):
            frame = convert_color_space(frame, "YBR_FULL", "RGB")
        return _scaled(frame[..., :3], 0, (1 << pixels.bits_stored) - 1)
    values = apply_modality_lut(frame, dataset).astype(np.float64, copy=False)
    if window is not None:
        gray = _scaled(values, *window)
    elif "WindowCenter" in dataset or "VOILUTSequence" in dataset:
        shown = apply_voi_lut(apply_modality_lut(frame, dataset), dataset)
        gray = _scaled(shown, float(shown.min()), float(shown.max()))
    else:
        low, high = np.percentile(values[np.isfinite(values)], (1, 99))
        gray = _scaled(values, low, high)
    return 255 - gray if pixels.photometric == "MONOCHROME1" else gray


def _scaled(values: NDArray[Any], low: float, high: float | None) -> NDArray[np.uint8]:
    top = float(np.iinfo(values.dtype).max) if high is None else high
    unit = (np.nan_to_num(values.astype(np.float64)) - low) / max(top - low, 1e-9)
    return (np.clip(unit, 0, 1) * 255).round().astype(np.uint8)


def _encoded(
    picture: NDArray[np.uint8], pixels: ImagePixels, dataset: Dataset, shown: Shown
) -> bytes:
    height, width = float(pixels.rows), float(pixels.columns) * _aspect(dataset)
    scale = min(1.0, shown.width / width, shown.height / height)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(picture).resize(shape, Image.Resampling.BOX)
    buffer = BytesIO()
    image.save(buffer, shown.encoding, optimize=True, quality=shown.quality)
    return buffer.getvalue()


def _aspect(dataset: Dataset) -> float:
    """Width of a pixel by its height, kept within a tenth and ten."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        try:
            down, across = (float(value) for value in dataset.get(keyword) or ())
        except (TypeError, ValueError):
            continue
        if down > 0 and across > 0:
            return min(max(across / down, 0.1), 10.0)
    return 1.0
