"""What a species' page cannot do without: it is not published before."""

from .models import Fact, Section, Species, Text

NEEDED = {
    Section.STANDFIRST: "a standfirst: who they are, in a sentence or two",
    Section.AT_A_GLANCE: "something under “At a glance”",
    Section.WHAT_AN_ADOPTION_PAYS_FOR: "what an adoption pays for",
}
SOURCED = "a published fact with a source"


def missing(species: Species) -> list[str]:
    """In words for the editor; empty if the page can be shown to readers."""
    there = set(Text.objects.public().filter(species=species).values_list("section", flat=True))
    found = [words for section, words in NEEDED.items() if section not in there]
    is_sourced = Fact.objects.public().filter(species=species, sources__isnull=False).exists()
    return found if is_sourced else [*found, SOURCED]
