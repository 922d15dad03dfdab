"""Pages for people: the documentation of the routes. Nothing comes from outside, nothing runs in the browser."""
