"""Adopting: who gives, how often, what Stripe says about it, and what we send.

* **supporter**: the person who pays. No account and no password; known by an email address.
* **plan**: what can be adopted, with the amounts offered for each frequency.
* **adoption**: one supporter's promise for one species: once, monthly or yearly. Figurative: nobody owns an animal.
* **gift**: an adoption somebody pays for and somebody else (the *recipient*) is given.
* **attempt**: one visit to the form. Its id travels through every step, so that a double click, a second tab or the
  back button land on the same adoption and the same page at Stripe.
* **ledger**: the payments, in pence, one row for every movement of money; only ever added to.
* **campaign**: a link in a mail, `/go/<code>`, and what it presets. Its code is kept on the adoption.
* **stand-in**: our own small Stripe, for people and tests without keys.
"""
