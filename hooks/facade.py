"""Writes the typed sides of the hooks from their specifications: `make docs`.

`typed_hooks.py` is for callers of hooks, `implementations.py` for their implementations. A test keeps both current.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from cti_hooks import spec, values
from cti_hooks.markers import Declaration, Way, declaration_of
from lcm_plugin import spec as lcm_spec

LONGEST: Final = 110
ROOT: Final = Path(__file__).parents[1]

CALLS: Final = '''"""{title}, for callers: one typed method for each, which a type checker can look at.

Made from `{module}` by `python hooks/facade.py`; a test keeps it current.
"""

{imports}

from attrs import frozen

from cti_hooks.dispatch import Hooks
{values}

@frozen
class {name}:
    """Calls each hook the way it declares; a wrong name, argument or result is a type checker's finding."""

    hooks: Hooks
'''

IMPLEMENTATIONS: Final = '''"""A base class for each hook, for implementations that a type checker is to look at.

`class Dialer(MakeCall, FindCall):` has its methods' names, arguments and results checked, and cannot be made
without one of them. Its methods name all arguments of their hooks; without a base class a method may leave
out those it does not want. Made from `cti_hooks.spec` by `python hooks/facade.py`; a test keeps it current.
"""

from abc import abstractmethod
{imports}
from typing import TYPE_CHECKING, Protocol

{values}
if TYPE_CHECKING:
    from cti_hooks.host import Host
'''


def calls(module: ModuleType, title: str, name: str) -> str:
    """The module for callers of these hooks."""
    hooks = (one for one in _hooks(module) if _declared(module, one).way is not Way.EACH)
    body = "".join(_method(module, one) for one in hooks)
    used = _used(f"class _:{body}")
    imports, names = _imports(used, "collections.abc", "datetime", "typing"), _values(module, used)
    head = CALLS.format(title=title, module=module.__name__, name=name, imports=imports, values=names)
    return head + body


def implementations() -> str:
    """The module for implementations of the contract's hooks."""
    body = "".join(_base(one) for one in _hooks(spec))
    used = _used(body)
    imports, names = _imports(used, "collections.abc", "datetime"), _values(spec, used)
    return IMPLEMENTATIONS.format(imports=imports, values=names) + body


def _used(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _hooks(module: ModuleType) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef) and declaration_of(getattr(module, node.name)):
            yield node


def _declared(module: ModuleType, hook: ast.FunctionDef) -> Declaration:
    declaration = declaration_of(getattr(module, hook.name))
    if declaration is None:
        raise TypeError(f"{hook.name} is no hook")
    return declaration


def _arguments(hook: ast.FunctionDef) -> dict[str, str]:
    return {one.arg: ast.unparse(one.annotation) for one in hook.args.args if one.annotation}


def _method(module: ModuleType, hook: ast.FunctionDef) -> str:
    declared, arguments = _declared(module, hook), _arguments(hook)
    way = declared.way
    returns = {
        Way.ALL: "list[Answer]",
        Way.CHAIN: arguments.get(declared.on, ""),
        Way.FIRST: _returns(hook),
    }[way]
    given = ", ".join([f'"{hook.name}"', *(f"{name}={name}" for name in arguments)])
    body = f"        return await self.hooks.{way}({given})"
    if way is not Way.ALL:
        body = f"        result: {returns} = await self.hooks.{way}({given})\n        return result"
    return f"{_signature('async def', hook.name, arguments, returns)}\n{_doc(hook)}\n{body}\n"


def _base(hook: ast.FunctionDef) -> str:
    returns = _returns(hook)
    kind = returns.removesuffix(" | None")
    either = returns if returns == "object" else f"{kind} | Awaitable[{returns}] | None"
    name = "".join(part.capitalize() for part in hook.name.split("_"))
    method = _signature("def", hook.name, _arguments(hook), either).lstrip("\n")
    head = f'\n\nclass {name}(Protocol):\n    """Implements `{hook.name}`."""\n\n    @abstractmethod'
    return f"{head}\n{method}\n{_doc(hook)}\n"


def _returns(hook: ast.FunctionDef) -> str:
    return ast.unparse(hook.returns) if hook.returns else "object"


def _signature(kind: str, name: str, arguments: dict[str, str], returns: str) -> str:
    told = [f"{argument}: {annotation}" for argument, annotation in arguments.items()]
    self_and = ["self", "*", *told] if told else ["self"]
    line = f"    {kind} {name}({', '.join(self_and)}) -> {returns}:"
    if len(line) > LONGEST:
        line = f"    {kind} {name}(\n        {', '.join(self_and)}\n    ) -> {returns}:"
    return "\n" + line.replace("'Host'", '"Host"')


def _doc(hook: ast.FunctionDef) -> str:
    return f'        """{(ast.get_docstring(hook) or "").splitlines()[0]}"""'


def _imports(used: set[str], *modules: str) -> str:
    """Each name from the first of these modules that has it."""
    left, lines = set(used), list[str]()
    for module in modules:
        found = left & set(importlib.import_module(module).__all__)
        left -= found
        lines += [f"from {module} import {', '.join(sorted(found))}"] if found else []
    return "\n".join(lines)


def _values(module: ModuleType, used: set[str]) -> str:
    """Imports of the contract's own values, and of what else the specification names."""
    by_home: dict[str, list[str]] = {}
    for name in sorted(used):
        home = getattr(getattr(module, name, None) or getattr(values, name, None), "__module__", "")
        if home.startswith(("cti_hooks", "lcm_plugin")):
            by_home.setdefault(home, []).append(name)
    return (
        "\n".join(f"from {home} import ({', '.join(names)})" for home, names in sorted(by_home.items()))
        + "\n"
    )


def files() -> dict[Path, str]:
    """What this writes, before it is formatted."""
    return {
        ROOT / "hooks/cti_hooks/typed_hooks.py": calls(spec, "The contract's hooks", "TypedHooks"),
        ROOT / "hooks/cti_hooks/implementations.py": implementations(),
        ROOT / "lcm_plugin/lcm_hooks.py": calls(lcm_spec, "The hooks that lcm-plugin brings", "LcmHooks"),
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
