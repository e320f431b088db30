"""The development mailbox: takes every letter the site sends, delivers none, shows them in the browser."""
