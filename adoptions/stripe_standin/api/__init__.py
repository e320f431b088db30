"""The part of Stripe's API that the site uses: one module for each group of calls, `front_desk` in front of them."""
