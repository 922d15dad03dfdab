"""SNOMED CT's Expression Constraint Language: an expression read, and the concepts of a release that it selects.

`parse` reads the brief syntax, `Evaluator` selects or asks about one concept. Held to the ABNF grammar that SNOMED
International publishes (version 2.2); what of it is read and what is refused stands in `service.coding.ecl.parse`.
"""

from service.coding.ecl.evaluate import Evaluator, Hierarchy, Relation
from service.coding.ecl.parse import parse
from service.coding.ecl.syntax import EclLimits, Expression

__all__ = ["EclLimits", "Evaluator", "Expression", "Hierarchy", "Relation", "parse"]
