"""What a giver may write to somebody we do not know: plain words, no links, nothing that staff should read first.

A gift message goes out under the charity's name to an address a stranger typed. So it carries no link, no address
and no number to call, and words that fraud or cruelty need are held until a member of staff has read them.
"""

import re

LINK = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,12}:/{1,3}|\bwww\.)\S*"  # https://…, www.…
    r"|\b(?:mailto|javascript|data|tel):\S*"
    r"|\S{1,64}@\S{1,190}"  # name@host
    r"|\b(?:[a-z0-9-]{1,63}\.){1,5}(?:app|biz|click|co|com|dev|eu|example|info|io|link|ly|me|net|online|org|ru|shop|"
    r"site|top|uk|us|xyz)\b(?:/\S*)?",  # host.tld
    re.IGNORECASE,
)
# Each with the reason that staff are shown. Whole words, so that "Essex" and "skilled" are nothing.
HELD_WORDS = {
    "speaks of money or passwords": (
        "account bank bitcoin crypto inheritance invoice lottery password passcode paypal refund sort-code voucher "
        "winner wire"
    ),
    "may be meant to hurt": (
        "arsehole bastard bitch cunt dickhead die fuck fucker fucking hate kill kys murder nazi rape retard scum slag "
        "slut stupid suicide twat ugly wanker whore worthless"
    ),
}
HELD = {
    reason: re.compile(rf"\b(?:{'|'.join(map(re.escape, words.split()))})\b", re.IGNORECASE)
    for reason, words in HELD_WORDS.items()
}
NUMBER_TO_CALL = re.compile(r"(?:\+|\b0)(?:[ ()-]{0,2}\d){9,14}\b")


def without_links(text: str) -> str:
    """The text with every address left out; line breaks stay."""
    lines = (" ".join(LINK.sub(" ", line).split()) for line in text.splitlines())
    return "\n".join(lines).strip()


def why_held(*texts: str) -> str:
    """Why staff should read these words before they are sent; empty if there is no reason."""
    for text in texts:
        for reason, words in HELD.items():
            found = words.search(text)
            if found:
                return f"“{found.group()}” {reason}"
        if NUMBER_TO_CALL.search(text):
            return "Holds a number to call"
    return ""
