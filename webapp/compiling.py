"""Templates compiled for what they are given here: rows that are dictionaries, and functions that want no context.

Jinja asks of every call whether the function wants the context, and looks in every row for an attribute before it looks
for a key. A list of thirty articles does the one five hundred and the other a thousand times: half of its time.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame

PLAIN = ("_", "when", "address", "translated")  # functions of ours that every page is given
OBJECTS = ("_", "clock")  # whose methods are
METHODS = frozenset(dir(dict))  # what a dictionary can do is never a key of it


class PlainCalls(CodeGenerator):
    """Calls our own functions directly; everything else as Jinja does."""

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        if forward_caller or not _is_plain(node):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for place, given in enumerate([*node.args, *node.kwargs]):
            if place:
                self.write(", ")
            self.visit(given, frame)
        self.write(")")


def _is_plain(node: nodes.Call) -> bool:
    if node.dyn_args or node.dyn_kwargs or any(iskeyword(one.key) for one in node.kwargs):
        return False
    if isinstance(node.node, nodes.Name):
        return node.node.name in PLAIN
    if isinstance(node.node, nodes.Getattr):
        whose = node.node.node
        return node.node.attr == "get" or (isinstance(whose, nodes.Name) and whose.name in OBJECTS)
    return False


class RowEnvironment(Environment):
    """Looks for a key first, where a row is a dictionary."""

    code_generator_class = PlainCalls

    def getattr(self, obj: Any, attribute: str) -> Any:
        """*attribute* of *obj*, by key first where that is a dictionary."""
        if type(obj) is dict and attribute not in METHODS:
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)
