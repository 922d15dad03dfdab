"""`lesionbridge code`: what one term becomes, in one field or anywhere."""

import click

from service.commands.answering import answer, answering
from service.commands.speaking import REFUSED, say, settings, site, stop
from service.config import remote_terms


@click.command("code")
@click.argument("text", metavar="TEXT")
@click.option("--field", default="", help="A row of mappings/ such as finding, site or t1; anywhere when absent.")
@answering
def command(text: str, field: str) -> None:
    """Print the concept and the codes of TEXT. Exit 0: coded, 2: not, with suggestions."""
    from service.coding.resolve import ANYWHERE, resolve
    from service.domain.codes import Term

    here = settings()
    vocabulary, _ = site(here).of(here.default_sender)
    row = vocabulary.field(field) if field else ANYWHERE
    if row is None:
        stop(f"{field}: there is no such field")
    found = resolve(vocabulary, Term(text), row)
    remote = remote_terms(here)
    if remote is not None:
        asking = remote.session(vocabulary)
        found = asking.resolve(Term(text), row, found)
        for lost in asking.losses():
            say(lost.why)
    if found.term is None or not found.term.codes:
        if found.verdict is not None:
            say(found.verdict.why)
        near = (
            found.verdict.candidates if found.verdict and found.verdict.candidates else vocabulary.suggest(text, field)
        )
        for label in near:
            say(f"  did you mean: {label}")
        raise SystemExit(REFUSED)
    term = found.term
    answer(f"{term.text} [{term.concept}], found by {term.resolution}{', a broader code' if term.broader else ''}")
    for code in term.codes:
        answer(f"  {code.system}  {code.code}  {code.display}")
