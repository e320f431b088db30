"""The certificate of an adoption."""

from .models import Adoption


def of(adoption: Adoption) -> Adoption:
    return adoption


def render(adoption: Adoption) -> bytes:
    raise NotImplementedError
