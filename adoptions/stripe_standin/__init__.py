"""A Stripe of one's own, for people without keys and for tests: no money moves.

`manage.py stripe_standin` runs it as a process of its own. The site talks to it with the real `stripe` library over
HTTP, is sent signed webhooks, and shares nothing else with it. It refuses to start where DEBUG is off or a live key
is set.

Everything on the front page can also be asked for by a test: `POST /_control/<name>` with form fields or a JSON
object; the answer is JSON.

    advance             days, months, years, hours, seconds   move the clock; do all that falls due on the way
    now                                                        the clock
    fail_renewals       subscription, times (1)                the next tries to charge it fail
    ask_at_renewal      subscription                           the next renewal needs 3-D Secure
    end_subscription    subscription                           ended at once, by Stripe
    settle_debit        payment_intent, fails                  the bank answers a Direct Debit now
    refund              charge, amount in pence (all)          as from Stripe's dashboard
    fail_refund         refund                                 a refund that comes back days later
    dispute             charge                                 the payer's bank wants the money back
    close_dispute       dispute, outcome (won or lost)
    warn_of_fraud       charge                                 an early fraud warning
    webhooks            paused, drop_percent, double_percent, shuffle, delay_seconds
    resend              event                                  one more delivery
    faults              fail, lose, hang, hang_seconds         for the next API calls
    wait_for_webhooks   seconds (10)                           until all are delivered
"""
