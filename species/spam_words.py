"""Phrases that sell, and hardly ever stand in what a reader writes about an animal.

Phrases rather than words: a reader works in a bank, takes pills and hears of a casino near the reserve.
"""

import re

PHRASES = {
    "pills": r"viagra|cialis|levitra|kamagra|tramadol|xanax|modafinil|no prescription|without prescription"
    r"|online pharmacy|best pharmacy|weight loss|lose \d+ (?:pounds|kilos|kg)|keto|male enhancement"
    r"|herbal (?:cure|medicine|remedy)|cured my|testosterone|cbd oil|free trial|risk free",
    "gambling": r"online casino|casino online|casino bonus|free spins|no deposit|slot gacor|judi online|togel"
    r"|sports? betting|fixed match(?:es)?|promo code|sign[- ]up bonus|welcome bonus|free bets?|poker for"
    r"|roulette strategy|jackpot|maxwin|казино|ставки на спорт|без депозита|casino bonus",
    "money": r"bitcoin|crypto|ethereum|\bbtc\b|\busdt\b|airdrop|presale|forex|binary options|trading bot"
    r"|guaranteed profit|passive income|daily payouts?|weekly profits?|monthly return"
    r"|(?:personal|business|urgent|payday) loans?|loans? approved|bad credit|earn(?:ed|s)? \$|make \$"
    r"|\$\d[\d,]* (?:a|every|per) (?:day|week|month)|work from home|get rich|my broker|invest(?:ed)? \$"
    r"|recovery expert|expert \w+ on whatsapp",
    "services": r"seo services?|backlinks?|first page of google|guest posts?|sponsored post|instagram followers"
    r"|buy followers|followers and likes|followers cheap|web developer|redesign|email list|bulk sms"
    r"|digital marketing|marketing agency|hire a hacker|spy on|fake passport|driving licence or"
    r"|without exam|replica|discount store|your domain|send you a quote",
    "adult": r"\bporn|\bxxx\b|\bsex\b|hot singles|adult dating|call girls|escort service|hookup|webcam|cam live"
    r"|onlyfans|dating for|russian brides|lonely (?:lady|girl|woman)|discreet affair|sexy girls"
    r"|знакомства для взрослых|link in bio",
    "urging": r"click here|buy now|order now|limited offer|special offer|best (?:price|prices|rates)|lowest price"
    r"|cheap \w+ online|act now|apply today|register now|sign up free|join free|contact us (?:by|on)"
    r"|money money|free free|instant delivery|free delivery|worldwide shipping|overnight shipping"
    r"|buy cheap|win an iphone|e4rn|c4sh",
    "handles": r"telegram|whats ?app|hangouts|t\.me/|wechat|message (?:her|him|me) on",
}
BAD_PHRASES = {kind: re.compile(rf"(?<!\w)(?:{words})", re.IGNORECASE) for kind, words in PHRASES.items()}

# Praise that would fit any page in the world, as machines send it in front of the link that comes later.
FLATTERY = re.compile(
    r""
    r"(?:great|nice|excellent|good|amazing|awesome|wonderful|incredibl[ey] \w+|marvell?ous) "
    r"(?:post|article|blog|weblog|info\b|information)"
    r"|keep up the good work|your (?:blog|weblog|web ?site|site) (?:is|came|loads|looks)"
    r"|i(?:'ve| have)? (?:bookmarked|book-marked|saved it)|bookmarked (?:it|your)"
    r"|(?:found|discovered) your (?:blog|site|web ?site)"
    r"|(?:this|of this) (?:blog|weblog|web ?site) (?:is|consists|post)|blog layout|paid theme|what host"
    r"|your writing|superb informations?|thanks for (?:sharing|supplying)|thank you for sharing"
    r"|web ?site posts|leaving your website|leave your website|blogging for|some extremely valid points"
    r"|rest of the site|your contact details|pay a quick visit|nice article|useful info|very good info"
    r"|wrote about this on my blog",
    re.IGNORECASE,
)
