"""A person who presses a button, reads what will happen, and presses once more."""

import html
import re
from typing import Any

from django.test import Client

BUTTON = re.compile(r'name="sure" value="(\w+)"')


def sure_of(page: str) -> dict[str, str]:
    """What the second button of a page that asks first would send."""
    found = BUTTON.search(page)
    assert found, page
    return {"sure": found[1]}


def press_twice(client: Client, address: str, fields: dict[str, Any], *, reads: tuple[str, ...] = ()) -> Any:
    """The answer to the second press. `reads`: words that the page between says."""
    asked = client.post(address, fields)
    words = html.unescape(asked.text)
    assert [each for each in reads if each not in words] == []
    return client.post(address, {**fields, **sure_of(asked.text)}, follow=True)
