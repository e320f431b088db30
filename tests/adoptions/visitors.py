"""People at a browser who come in by a link in a mail."""

import re

from django.test import Client

from adoptions.models import AccessLink, Supporter
from adoptions.tasks import send_access_link
from config.models import Mail


def ask_for_link(client: Client, email: str) -> None:
    """Type an address and let the worker do its part."""
    response = client.post("/my-adoption/", {"email": email})
    assert response.status_code == 303
    for link_id in AccessLink.objects.filter(token_hash=None).values_list("pk", flat=True):
        send_access_link.func(link_id)


def link_in(mail: Mail) -> str:
    """The path of the link in a mail."""
    found = re.search(r"https?://[^/]+(/my-adoption/[\w-]{43}/)", mail.text)
    assert found
    return found.group(1)


def code_in(mail: Mail) -> str:
    found = re.search(r"it is (\d{6})\.", mail.text)
    assert found
    return found.group(1)


def signed_in(supporter: Supporter) -> Client:
    """A browser that asked for a link and pressed its button."""
    client = Client()
    ask_for_link(client, supporter.email)
    path = link_in(Mail.objects.filter(kind="manage_link", to=supporter.email).latest("pk"))
    response = client.post(path)
    assert (response.status_code, response.headers["Location"]) == (303, "/my-adoption/")
    return client
