"""A campaign's code travels in addresses, and so needs no cookie: every link of a page carries it on.

Templates write it into the links that lead to an adoption by hand (`campaign_query`), for pages on which nothing else
should carry it. On pages to read all others get it here, once for each page that is kept: threats, sections and
comments are drawn once for everybody, without a request at hand.
"""

import re

from django.http import HttpRequest, HttpResponse

CAMPAIGN_CODE = re.compile(r"[a-z0-9-]{3,32}")
IN_ADDRESS = re.compile(rf"(?:^|&)c=({CAMPAIGN_CODE.pattern})(?:&|$)")
# To a page of ours, on this one or another; a path with a dot in it is a file.
LINK = re.compile(rb'(<a\b[^>]*?\shref=")(?=[/?])((?:/(?!/|admin/|go/)[^"?#.]*)?)(\?[^"#]*)?((?:#[^"]*)?")')
HAS_CODE = re.compile(rb"[?&;]c=")


def code_of(request: HttpRequest) -> str:
    """A campaign's code in the address as our links write it. Looked for, not parsed: that could be the fault."""
    found = IN_ADDRESS.search(request.META.get("QUERY_STRING", ""))
    return found[1] if found else ""


def carry_on(response: HttpResponse, code: str) -> HttpResponse:
    """The page, with the code in each of its links to pages of ours that has none."""

    def with_code(link: re.Match[bytes]) -> bytes:
        start, path, query, end = link[1], link[2], link[3] or b"", link[4]
        if HAS_CODE.search(query):
            return link[0]
        return start + path + query + (b"&amp;" if query else b"?") + b"c=" + code.encode() + end

    if code and response["Content-Type"].startswith("text/html"):
        response.content = LINK.sub(with_code, response.content)
    return response
