"""What supporters get for their money, such as a toy, and how much of that Gift Aid allows.

Income Tax Act 2007, sections 418 and 419: a quarter of the first £100 of a gift and a twentieth of the rest, no more
than £2,500 in a tax year. Monthly gifts count as what they come to in a year. A certificate, a photograph and news of
the work count as nothing.
"""

from django.db.models import Case, Expression, F, IntegerField, Value, When
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.functions import Greatest, Least

from .models import Frequency

PAYMENTS_A_YEAR = {Frequency.ONCE: 1, Frequency.YEARLY: 1, Frequency.MONTHLY: 12}
FIRST_PENCE = 10_000
MOST_PENCE = 250_000


def added_pence(amount_pence: int) -> int:
    """What the tax office adds to a gift: 25p to the pound, at the basic rate of 20 per cent."""
    return amount_pence // 4


def limit_pence(amount_pence: int, frequency: str) -> int:
    """The most that may come with gifts of this amount."""
    year = amount_pence * PAYMENTS_A_YEAR[Frequency(frequency)]
    return min(min(year, FIRST_PENCE) // 4 + max(year - FIRST_PENCE, 0) // 20, MOST_PENCE)


def limit_of(amount: str, frequency: str) -> Expression:
    """The same in the database, of the amount and the frequency that stand in these columns."""
    times = [When(**{frequency: each}, then=Value(number)) for each, number in PAYMENTS_A_YEAR.items()]
    year = F(amount) * Case(*times, output_field=IntegerField())
    quarter = parted(Least(year, FIRST_PENCE), 4)
    return Least(quarter + parted(Greatest(year - FIRST_PENCE, 0), 20), MOST_PENCE)


def parted(pence: Combinable, into: int) -> CombinedExpression:
    """As `//` does it: PostgreSQL divides whole numbers to whole numbers."""
    return CombinedExpression(pence, Combinable.DIV, Value(into))


def needed_pence(benefit_pence: int, frequency: str) -> int:
    """The smallest gift that so much may come with."""
    quarter = FIRST_PENCE // 4
    year = benefit_pence * 4 if benefit_pence <= quarter else FIRST_PENCE + (benefit_pence - quarter) * 20
    return -(-year // PAYMENTS_A_YEAR[Frequency(frequency)])


def is_within(benefit_pence: int, amount_pence: int, frequency: str) -> bool:
    return benefit_pence <= limit_pence(amount_pence, frequency)
