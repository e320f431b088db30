"""What a call is: a method and a path, the rule its parameters obey, and what answers it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from adoptions.stripe_standin import answers
from adoptions.stripe_standin.books import Books
from adoptions.stripe_standin.parameters import Rule, call, listing
from adoptions.stripe_standin.state import Object

# Called with the books, the checked parameters, and the id in the path if there is one.
type Handler = Callable[..., Object]


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    rule: Rule
    answer: Handler

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.path.replace("{id}", r"([^/]+)"))


def retrieve(path: str, kind: str) -> Call:
    """The call that answers with one object by its id."""

    def answer(books: Books, params: Object, key: str) -> Object:
        return answers.find(books, kind, key)

    return Call("GET", path + "/{id}", call(), answer)


def search(path: str, kind: str, keep: Callable[[Object, Object], bool] | None = None, **filters: Rule) -> Call:
    """The call that lists objects. `keep` is asked with each object and the parameters; without it the filters
    name fields that must be equal."""

    def equal(thing: Object, params: Object) -> bool:
        return all(thing[name] == params[name] for name in filters if name in params and name != "created")

    def answer(books: Books, params: Object) -> Object:
        found = [thing for thing in books.all(kind) if (keep or equal)(thing, params)]
        return answers.page(found, params, path)

    return Call("GET", path, listing(**filters), answer)
