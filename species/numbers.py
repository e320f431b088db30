"""How a fact's number is written for people: grouped, rounded to what the sentence needs, with its caution."""

from decimal import Decimal
from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def round_to_figures(number: Decimal, figures: int) -> Decimal:
    """10709 to 3 figures is 10700; 2.96 to 1 figure is 3."""
    if not number:
        return number
    return round(number, figures - number.adjusted() - 1)


def written(number: Decimal, *, figures: int | None = None) -> str:
    """A number in the reader's own style, without the zeros a database column pads it with."""
    return _written(number, figures, get_language())


@lru_cache(maxsize=4096)  # a page writes hundreds of numbers, and the same ones each time
def _written(number: Decimal, figures: int | None, language: str | None) -> str:
    rounded = number if figures is None else round_to_figures(number, figures)
    plain = format(rounded.normalize(), "f")
    return number_format(Decimal(plain), use_l10n=True, force_grouping=True)


def written_range(
    *, low: Decimal | None, high: Decimal | None, point: Decimal | None, figures: int | None = None
) -> str:
    """`129`, `70 to 108`, or `84 (70 to 108)`."""
    point_text = "" if point is None else written(point, figures=figures)
    if low is None or high is None:
        return point_text
    ends = {"low": written(low, figures=figures), "high": written(high, figures=figures)}
    range_text = _("%(low)s to %(high)s") % ends
    return f"{point_text} ({range_text})" if point_text else range_text
