"""Lists that leave the site and lists that come in: supporters and adoptions as files for other programs.

A layout is a table of columns; the file, the page that explains it and the reader are made from the same table. What
takes long is done by the worker in turns, each of which is a transaction that says how far it came: a worker that
dies loses nothing and repeats nothing.
"""
