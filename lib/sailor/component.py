"""Reads a component's folder: the manifest, the Python files, and the functions in them (protocol 2.3)."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from lib import jsontext
from lib.sailor.errors import ComponentError

HOOKS = ("process", "init", "startup", "shutdown")


@dataclass(frozen=True)
class Function:
    """The code of one trigger or action; a hook that the file does not have is None."""

    key: str
    definition: Mapping[str, Any]
    module: ModuleType = field(repr=False)
    process: Callable[..., Any] | None = None
    init: Callable[..., Any] | None = None
    startup: Callable[..., Any] | None = None
    shutdown: Callable[..., Any] | None = None

    @property
    def resolves_objects(self) -> bool:
        return self.definition.get("autoResolveObjectReferences") is not False

    def required_process(self) -> Callable[..., Any]:
        """Return `process`; ComponentError when the file has none."""
        if self.process is None:
            raise ComponentError(f"The file of {self.key} offers no function for it and no process")
        return self.process

    def method(self, name: str) -> Callable[..., Any]:
        """Return the file's callable of this name (metadata or drop-down); ComponentError when there is none."""
        found = getattr(self.module, name, None)
        if not callable(found):
            raise ComponentError(f'Method "{name}" is not found in "{self.key}" action or trigger')
        return found  # type: ignore[no-any-return]


class Component:
    """The component in one folder. The constructor reads component.json; `function` and `load` import files.

    Raises ComponentError when component.json is missing or is no JSON.
    """

    def __init__(self, folder: str = ".") -> None:
        self.folder = os.path.abspath(folder)
        try:
            with open(os.path.join(self.folder, "component.json"), "rb") as file:
                self.manifest: Mapping[str, Any] = jsontext.decode(file.read())
        except (OSError, ValueError) as error:
            raise ComponentError(f"Failed to load component.json from {self.folder}") from error

    @classmethod
    def at(cls, component_path: str) -> Component:
        """Return the component at COMPONENT_PATH: relative to the working directory, also with a slash before it."""
        return cls(os.path.join(os.getcwd(), component_path.lstrip("/")))

    def definition(self, key: str) -> Mapping[str, Any]:
        """Return the manifest's entry of a function, from triggers before actions; ComponentError when it has none."""
        for group in ("triggers", "actions"):
            if isinstance(found := (self.manifest.get(group) or {}).get(key), dict):
                return found
        raise ComponentError(f'Trigger or action "{key}" is not found in component.json!')

    def function(self, key: str) -> Function:
        """Import the file of a trigger or action and return its code.

        Raises ComponentError, with the texts of protocol 2.3.
        """
        definition = self.definition(key)
        main = str(definition.get("main", ""))
        try:
            module = self.load(main)
        except (ImportError, OSError) as error:
            raise ComponentError(f"Failed to load file '{main}': {error}") from error
        except Exception as error:
            raise ComponentError(
                f"Trigger or action '{key}' is found, but can not be loaded. "
                f"Please check if the file '{main}' is correct."
            ) from error
        declared = getattr(_declared(module, key), "declared", module)
        hooks = {name: getattr(declared, name, None) for name in HOOKS}
        return Function(key, definition, module, **hooks)

    def load(self, main: str) -> ModuleType:
        """Import a file by its path in the component's folder, with or without `.py`, and return the module.

        The folder is added to `sys.path`. Raises FileNotFoundError, and what the file raises while it is loaded.
        """
        path = os.path.normpath(os.path.join(self.folder, main))
        path = path if path.endswith(".py") else path + ".py"
        if not os.path.isfile(path):
            raise FileNotFoundError(f"no file {path}")
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        name = os.path.relpath(path, self.folder).removesuffix(".py").replace(os.sep, ".")
        present = sys.modules.get(name)
        if present is None and _finds(name, path):
            present = importlib.import_module(name)
        if present is not None and _is_file(present, path):
            return present
        return _import_file(f"component:{path}", path)


def _declared(module: ModuleType, key: str) -> Any:
    """Return the callable of a module whose attribute `declared` has this key, None when there is none."""
    for value in vars(module).values():
        if callable(value) and getattr(getattr(value, "declared", None), "key", None) == key:
            return value
    return None


def _finds(name: str, path: str) -> bool:
    """Return whether an ordinary import of the name loads this file."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return (
        spec is not None
        and spec.origin is not None
        and os.path.realpath(spec.origin) == os.path.realpath(path)
    )


def _is_file(module: ModuleType, path: str) -> bool:
    return os.path.realpath(getattr(module, "__file__", None) or "") == os.path.realpath(path)


def _import_file(name: str, path: str) -> ModuleType:
    if (present := sys.modules.get(name)) is not None:
        return present
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
