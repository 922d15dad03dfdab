"""Documents that nobody should send, each with the problems that it is refused for.

`cases.CASES` are the bad documents that fit on a page; `huge.HUGE` makes those that would not. ``expected`` is the set
of all (pointer, rule) of the refusal.
"""
