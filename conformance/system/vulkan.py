"""Which driver a GPU API finds where nobody has chosen one.

A machine without a GPU can still run an engine's shaders: SwiftShader and lavapipe are Vulkan
drivers that compute on the processor. They show faults of the engine's shaders, layouts and
dispatch; not those of a GPU's driver, nor how fast it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

VARIABLES = ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")
"""What the Vulkan loader takes drivers from, today's name first."""

SWIFTSHADER = (
    "/usr/lib/chromium/vk_swiftshader_icd.json",
    "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
    "/opt/google/chrome/vk_swiftshader_icd.json",
)
"""Where Chromium's packages bring SwiftShader: Debian's chromium-common, and Chrome."""

LAVAPIPE = (
    "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
    "/usr/share/vulkan/icd.d/lvp_icd.aarch64.json",
    "/usr/share/vulkan/icd.d/lvp_icd.json",
)
"""Where Mesa brings lavapipe: Debian's mesa-vulkan-drivers."""

HOW_TO_GET_ONE = "apt-get install chromium-common brings SwiftShader, which computes on the CPU"

_SOFTWARE = ("swiftshader", "llvmpipe", "lavapipe", "softpipe", "microsoft basic render")


def choose_driver(manifests: Sequence[str] = SWIFTSHADER) -> str | None:
    """Set the first of these software drivers for this process, before an engine loads Vulkan, and
    return its manifest; None where a driver is chosen already, where there is a GPU, or where none
    of them is installed.
    """
    if any(os.environ.get(name) for name in VARIABLES) or has_hardware():
        return None
    found = next((path for path in manifests if Path(path).is_file()), None)
    if found is not None:
        for name in VARIABLES:
            os.environ[name] = found
        # Mesa complains on stderr where there is none
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    return found


def has_hardware() -> bool:
    """Whether the system shows a GPU: a render node of the kernel, or NVIDIA's device."""
    return any(Path("/dev/dri").glob("renderD*")) or Path("/dev/nvidia0").exists()


def is_software(driver: str) -> bool:
    """Whether a driver of this name computes on the processor."""
    return any(word in driver.lower() for word in _SOFTWARE)
