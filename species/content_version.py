"""Which content the database holds now, as one short text: any change to any row of it gives another.

What is made of content alone may be remembered for as long as this text stays the same. PostgreSQL itself tells: each
version of a row has the transaction that wrote it (`xmin`) and a place (`ctid`), so an edit in the admin, a bulk
update, a load of the files, a deletion and a restored backup are all seen, and nothing has to remember to say so.

Read it along with the species and before their content: what is then remembered can be newer than it says, never older.
Half a millisecond for the 800 rows of three species.
"""

from django.db import connection
from django.db.models import CharField, Model, QuerySet
from django.db.models.expressions import RawSQL

from .models import Conflict, ConflictPosition, Fact, PopulationCount, Source, Species, SpeciesThreat, Text, Threat

# Every table that sentences, figures and lists of sources are made of. Comments, pictures and field notes are not
# among them: they are read for each page.
CONTENT: tuple[type[Model], ...] = (
    Species,
    Fact,
    Fact.sources.through,
    PopulationCount,
    PopulationCount.sources.through,
    Text,
    Conflict,
    ConflictPosition,
    ConflictPosition.sources.through,
    Threat,
    SpeciesThreat,
    Source,
)
_ROWS = " UNION ALL ".join(f"SELECT tableoid, xmin, ctid FROM {model._meta.db_table}" for model in CONTENT)  # noqa: S608
_VERSION = (
    f"SELECT concat(count(*), ' ', sum(hashtextextended(concat_ws(' ', tableoid, xmin, ctid), 0))) FROM ({_ROWS})"  # noqa: S608
)


def content_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        (version,) = cursor.fetchone()
    return str(version)


def with_content_version(species: QuerySet[Species]) -> QuerySet[Species]:
    """Along with each species, the same for all, `content_version`."""
    return species.annotate(content_version=RawSQL(_VERSION, (), output_field=CharField()))  # noqa: S611
