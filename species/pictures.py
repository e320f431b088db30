"""Take in a picture somebody uploaded, make its sizes, and throw away what no row needs.

A file from outside is hostile until it has been decoded: only its pixels are kept, written anew. Whatever else it
held, such as where the camera stood, a second file behind the first, or words for a program, is gone.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.utils import timezone
from PIL import Image, ImageOps

from .models import Picture
from .models.pictures import FOLDER

ACCEPTED = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 12_000_000
SHORTEST_SIDE = 200
LONGEST_STRAY = timedelta(days=1)
HOW = {"avif": {"quality": 60, "speed": 7}, "webp": {"quality": 78, "method": 4}}


class Refused(ValueError):
    """Why a picture cannot be taken, in words for whoever uploaded it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A clean copy, named for its content."""

    file: ContentFile[bytes]
    width: int
    height: int


def take(upload: IO[bytes], *, size: int) -> Taken:
    """Decode an upload and write it anew as a JPEG without metadata, the right way up."""
    if size > MOST_BYTES:
        raise Refused("The file is larger than 8 MB.")
    image = _decoded(upload)
    copy = BytesIO()
    image.save(copy, "JPEG", quality=92, optimize=True)
    content = copy.getvalue()
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.jpg"
    return Taken(file=ContentFile(content, name=name), width=image.width, height=image.height)


def _decoded(upload: IO[bytes]) -> Image.Image:
    """The pixels. The header is judged before they are unpacked: a small file may claim to be a huge picture."""
    try:
        with Image.open(upload, formats=ACCEPTED) as image:
            _judge(image)
            image.load()
            return _flat(ImageOps.exif_transpose(image))
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("The picture has more than 12 megapixels.") from error
    # Pillow tells of a broken file by any of these, according to where it breaks.
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, KeyError, TypeError) as error:
        raise Refused("This is not a JPEG, PNG or WebP picture, or it is damaged.") from error


def _judge(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise Refused("The picture has more than 12 megapixels.")
    if min(image.size) < SHORTEST_SIDE:
        raise Refused(f"The picture is too small: each side needs {SHORTEST_SIDE} pixels.")
    if getattr(image, "is_animated", False):
        raise Refused("The picture moves. Upload a still one.")


def _flat(image: Image.Image) -> Image.Image:
    """In plain colours, on white where it was transparent. A new image: the old one remembers what the file said."""
    flat = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        above = image.convert("RGBA")
        flat.paste(above, mask=above)
    else:
        flat.paste(image.convert("RGB"))
    return flat


def make_sizes(picture: Picture) -> int:
    """Write every size in every format; may be repeated. 0 if its file has changed since, else 1."""
    with default_storage.open(str(picture.file.name)) as master, Image.open(master, formats=["JPEG"]) as image:
        image.load()
        for width in picture.widths:
            height = max(1, round(image.height * width / image.width))
            sized = image.resize((width, height), Image.Resampling.LANCZOS)
            for extension, how in HOW.items():
                _write(picture.name_of(width, extension), sized, extension, how)
    return Picture.objects.filter(pk=picture.pk, file=picture.file.name).update(made_at=Now())


def _write(name: str, image: Image.Image, extension: str, how: dict[str, int]) -> None:
    content = BytesIO()
    image.save(content, extension.upper(), **how)
    default_storage.delete(name)
    default_storage.save(name, ContentFile(content.getvalue()))


def sweep() -> int:
    """Delete files that belong to no picture any more. New ones are let be: their row may be on its way."""
    try:
        stored = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:  # nobody has uploaded anything yet
        return 0
    needed = {picture.stem for picture in Picture.objects.only("file")}
    strays = [
        name
        for name in (f"{FOLDER}/{file}" for file in stored)
        if PurePosixPath(name).stem.partition("-")[0] not in needed
        and default_storage.get_modified_time(name) < timezone.now() - LONGEST_STRAY
    ]
    for name in strays:
        default_storage.delete(name)
    return len(strays)
