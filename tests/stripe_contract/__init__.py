"""Does what we say to Stripe, and what the stand-in says in its place, agree with Stripe's own library?

The description of the API is read from the annotations of the installed `stripe` package, so it is always the
version we pin and follows every upgrade. `Contract` checks requests, answers and events against it, and against
rules that stand only in Stripe's documentation. It proves form, not sense: "this card has no money" is not its
business.

    contract = Contract.from_library()
    client = stripe.StripeClient(key, base_addresses={"api": url}, http_client=CheckingClient(contract))
"""

from tests.stripe_contract.contract import Contract
from tests.stripe_contract.problems import ContractBroken, Problem
from tests.stripe_contract.watching import CheckingClient

__all__ = ["CheckingClient", "Contract", "ContractBroken", "Problem"]
