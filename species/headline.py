"""The one number that stands for a species where there is room for one: on certificates and share pictures."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .models import Fact, FactGroup, Section, Species


def headline_fact(species: Species) -> Fact | None:
    """The number of animals that the editor put first in the page's “At a glance”: it has a date, and sources."""
    facts = Fact.objects.public().filter(species=species, group=FactGroup.POPULATION, sources__isnull=False)
    in_a_glance = facts.filter(citations__text__section=Section.AT_A_GLANCE, citations__text__is_published=True)
    numbers = in_a_glance.exclude(point=None, low=None)
    return numbers.order_by("citations__text__position", "position", "pk").first()


def label_beside(fact: Fact) -> str:
    """What the number counts; empty where its unit says it already."""
    return "" if fact.label.casefold() == fact.unit.casefold() else fact.label


def where_from(fact: Fact) -> str:
    """“South-west Primorye, 2022. Source: Some Park, 2023”."""
    source = max(fact.sources.all(), key=lambda source: (source.year or 0, -source.pk))
    publisher = f"{source.publisher}, {source.year}" if source.year else source.publisher
    said_by = _("Source: %(publisher)s") % {"publisher": publisher}
    return ". ".join(part for part in (capfirst(fact.place), fact.period, said_by) if part)
