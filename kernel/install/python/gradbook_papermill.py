"""Teaches papermill to write parameters in Go.

Papermill has no list of its own for translators of other packages, but loads engines of
theirs; so this module is named as an engine, and registers the translator when it is
loaded. The engine is papermill's own.

    papermill in.ipynb out.ipynb -p epochs 3

writes a cell `epochs = 3` behind the one with the tag "parameters", which declares the
variable: `epochs := 5`. A name that it does not declare is a mistake that the compiler
reports; so is a list of whole numbers where others are declared: write 1.0.

It is loaded by papermill, which it needs to be loaded already, and not by itself.

Source: https://papermill.readthedocs.io/en/latest/extending-entry-points.html
"""

import json
import math
import re

from papermill.engines import NBClientEngine as Engine  # noqa: F401
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

DECLARATION = re.compile(
    r"^(?:(?P<short>\w+)\s*:=|var\s+(?P<name>\w+)(?:\s+(?P<type>[^=]+?))?\s*=)\s*(?P<value>.+?)\s*(?://\s*(?P<help>.*))?$"
)


def type_of(value):
    """Return the type in Go of a value from YAML or JSON."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "map[string]" + common(value.values())
    if isinstance(value, (list, tuple)):
        return "[]" + common(value)
    return "any"


def common(values):
    """Return the type that values have in common."""
    types = {type_of(v) for v in values}
    if types == {"int", "float64"}:
        return "float64"
    return types.pop() if len(types) == 1 else "any"


class GoTranslator(Translator):
    @classmethod
    def translate_none(cls, val):
        return "nil"

    @classmethod
    def translate_bool(cls, val):
        return "true" if val else "false"

    @classmethod
    def translate_float(cls, val):
        if math.isnan(val):
            return "math.NaN()"
        if math.isinf(val):
            return "math.Inf(1)" if val > 0 else "math.Inf(-1)"
        return repr(float(val))

    @classmethod
    def translate_escaped_str(cls, str_val):
        # JSON's escapes are Go's, but for the slash, which json does not escape, and
        # halves of surrogate pairs, which it need not.
        return json.dumps(str(str_val), ensure_ascii=False)

    @classmethod
    def translate_str(cls, val):
        return cls.translate_escaped_str(val)

    @classmethod
    def translate_list(cls, val):
        if not val:
            return "nil"  # of whatever type
        return type_of(val) + "{" + ", ".join(cls.translate(v) for v in val) + "}"

    @classmethod
    def translate_dict(cls, val):
        if not val:
            return "nil"
        return type_of(val) + "{" + ", ".join(f"{cls.translate_str(k)}: {cls.translate(v)}" for k, v in val.items()) + "}"

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def inspect(cls, parameters_cell):
        """Return the parameters that a cell declares, for papermill --help-notebook."""
        found = []
        for line in parameters_cell["source"].splitlines():
            m = DECLARATION.match(line.strip())
            if m:
                name, kind = m["short"] or m["name"], (m["type"] or "").strip()
                found.append(Parameter(name=name, inferred_type_name=kind or "None", default=m["value"], help=(m["help"] or "").strip()))
        return found


papermill_translators.register("go", GoTranslator)
