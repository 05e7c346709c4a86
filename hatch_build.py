"""Puts the cases into the wheel, and only there.

hatchling's static force-include would copy them into an editable install's site-packages too, as a
folder that goes stale.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Cases(BuildHookInterface):  # type: ignore[type-arg]
    """Ship `cases/` as `conformance/cases/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"]["cases"] = "conformance/cases"
