"""Photographs of a species, with who made them and under which licence we may show them."""

from pathlib import PurePosixPath
from typing import Self

from django.core.files.storage import default_storage
from django.core.validators import URLValidator
from django.db import models

from .species import Species

FOLDER = "pictures"
# Of the made sizes, in pixels: a phone, a phone with a sharp screen or a desk, a desk with a sharp screen.
WIDTHS = (480, 960, 1600)
FORMATS = ("avif", "webp")  # best first, as a browser chooses


class Across(models.IntegerChoices):
    LEFT = 0, "left edge"
    LEFT_OF_MIDDLE = 25, "left of the middle"
    MIDDLE = 50, "middle"
    RIGHT_OF_MIDDLE = 75, "right of the middle"
    RIGHT = 100, "right edge"


class Down(models.IntegerChoices):
    TOP = 0, "top edge"
    UPPER = 25, "upper part"
    MIDDLE = 50, "middle"
    LOWER = 75, "lower part"
    BOTTOM = 100, "bottom edge"


class PictureQuerySet(models.QuerySet["Picture"]):
    def public(self) -> Self:
        """Published, and with every size made."""
        return self.filter(is_published=True, made_at__isnull=False)


class Picture(models.Model):
    species = models.ForeignKey(Species, on_delete=models.PROTECT, related_name="pictures")
    file = models.FileField(
        upload_to=FOLDER, help_text="JPEG, PNG or WebP, at most 8 MB and 12 megapixels. We keep a clean copy of it."
    )
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    alt = models.CharField(
        "what it shows",
        max_length=200,
        help_text="For people who cannot see it: “A leopard drinks from a stream”.",
    )
    author = models.CharField(max_length=120, help_text="Whom to thank, as they wish to be named.")
    licence = models.CharField(max_length=60, help_text="“CC BY-SA 4.0”, or “used with permission”.")
    licence_url = models.URLField(
        "link to the licence", max_length=300, blank=True, validators=[URLValidator(["https"])]
    )
    source_url = models.URLField(
        "where it is from", max_length=500, blank=True, validators=[URLValidator(["http", "https"])]
    )
    focal_x = models.PositiveSmallIntegerField(
        "what matters, across", choices=Across, default=Across.MIDDLE, help_text="Kept in sight where edges are cut."
    )
    focal_y = models.PositiveSmallIntegerField("what matters, down", choices=Down, default=Down.MIDDLE)
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower comes first.")
    is_published = models.BooleanField("published", default=False)
    made_at = models.DateTimeField("sizes made", null=True, blank=True, editable=False)

    objects = PictureQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="picture_focal_point_lies_in_it",
                condition=models.Q(focal_x__lte=100, focal_y__lte=100),
                violation_error_message="The point that stays in view lies in the picture: 0 to 100, both ways.",
            ),
            models.CheckConstraint(
                name="picture_shown_says_what_whose_and_how",
                condition=models.Q(is_published=False)
                | ~(models.Q(alt="") | models.Q(author="") | models.Q(licence="")),
                violation_error_message="Before it is shown: what is to be seen, who made it, and under which licence.",
            ),
        ]
        indexes = [models.Index(fields=["species", "position"], name="picture_page")]

    def __str__(self) -> str:
        return f"{self.alt} ({self.author})"

    @property
    def is_shown(self) -> bool:
        return self.is_published and self.made_at is not None

    @property
    def stem(self) -> str:
        """What the names of all its files begin with; it changes with the picture, so they may be kept for ever."""
        return PurePosixPath(str(self.file.name)).stem

    @property
    def widths(self) -> list[int]:
        """Never wider than the picture itself."""
        return sorted({min(width, self.width) for width in WIDTHS})

    def name_of(self, width: int, extension: str) -> str:
        return f"{FOLDER}/{self.stem}-{width}.{extension}"

    def srcset(self, extension: str) -> str:
        return ", ".join(f"{default_storage.url(self.name_of(width, extension))} {width}w" for width in self.widths)

    @property
    def sources(self) -> list[tuple[str, str]]:
        return [(f"image/{extension}", self.srcset(extension)) for extension in FORMATS]

    @property
    def fallback_url(self) -> str:
        return default_storage.url(self.name_of(self.widths[min(1, len(self.widths) - 1)], FORMATS[-1]))
