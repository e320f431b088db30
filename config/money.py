"""Money is integer pence; how an amount is written.

`Pence` is what mypy holds to: a float, and any other whole number, is no Pence until somebody says so. What it cannot
see is what arrives untyped, and that Python takes True for 1; `whole_pence` looks at that where amounts come in.
"""

from typing import NewType

Pence = NewType("Pence", int)
NOTHING = Pence(0)


class NotPence(ValueError):
    """An amount from outside that is no whole number."""


def whole_pence(told: object) -> Pence:
    """An amount as another system told it. Raises NotPence, for `500.0` and `True` too."""
    if type(told) is not int:
        raise NotPence(f"{told!r} is no whole number of pence.")
    return Pence(told)


def pounds(pence: int) -> str:
    """`500` → `£5`, `1250` → `£12.50`, `-1250` → `−£12.50`, `120000` → `£1,200`."""
    sign = "−" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}£{whole:,}" + (f".{rest:02}" if rest else "")
