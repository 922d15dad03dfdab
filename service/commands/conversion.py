"""What one call of `convert` does with each of its documents."""

from dataclasses import dataclass, replace

from service.commands.inputs import Document
from service.commands.speaking import received, site
from service.config import Settings
from service.domain.errors import LesionBridgeError
from service.doors import detect
from service.pipeline import Format, Options, Outcome, convert


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of each document; ``form`` None: found out. A mapping is of tables, masks are SEG files."""

    form: Format | None
    to: Format
    options: Options
    deployment: Settings
    mapping: str = ""
    masks: tuple[bytes, ...] = ()
    validate: bool = False


class Conversion:
    """A wish with the deployment's overlays and releases opened; each process opens its own."""

    def __init__(self, wish: Wish) -> None:
        """Open them; raises TableError with every defect."""
        self.wish = wish
        self._site = site(wish.deployment)

    def __call__(self, document: Document) -> Outcome:
        """Convert a document; raises what the pipeline does."""
        wish, found = self.wish, document.received
        if isinstance(found, LesionBridgeError):
            raise found
        form = Format.CSV if found is not None else wish.form or detect(document.body)
        said = received(document.body, form, wish.deployment, self._site)
        said = replace(said, mapping=wish.mapping, received=found, masks=wish.masks, validate=wish.validate)
        return convert(said, (wish.to,), wish.options)
