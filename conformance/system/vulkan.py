"""Which driver a GPU API finds where nobody has chosen one.

A machine without a GPU can still run an engine's shaders: SwiftShader and lavapipe are Vulkan
drivers that compute on the processor. They show faults of the engine's shaders, layouts and
dispatch; not those of a GPU's driver, nor how fast it is.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
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
    driver = next((path for path in manifests if Path(path).is_file()), None)
    if driver is not None:
        for name in VARIABLES:
            os.environ[name] = driver
        # Mesa complains on stderr where there is none
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    return driver


def has_hardware() -> bool:
    """Whether the system shows a GPU: a render node of the kernel, or NVIDIA's device."""
    return any(Path("/dev/dri").glob("renderD*")) or Path("/dev/nvidia0").exists()


def is_software(driver: str) -> bool:
    """Whether a driver of this name computes on the processor."""
    return any(word in driver.lower() for word in _SOFTWARE)


@dataclass(frozen=True, slots=True)
class Device:
    """A device of Vulkan: its name as its driver says it, and whether it is the processor."""

    name: str
    is_software: bool


def facts(devices: Sequence[Device]) -> dict[str, bool | str]:
    """The facts of an engine that runs on one of these devices."""
    if not devices:
        return {}
    return {
        "gpu": " or ".join(device.name for device in devices),
        "software_driver": all(device.is_software for device in devices),
    }


def devices() -> list[Device]:
    """The devices that the Vulkan loader finds with the drivers chosen for this process; none where
    there is no loader.
    """
    try:
        loader = ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return []
    instance, count = ctypes.c_void_p(), ctypes.c_uint32()
    create = (ctypes.c_uint32 * 16)(_STRUCTURE_OF_AN_INSTANCE)  # and nothing wished for
    if loader.vkCreateInstance(create, None, ctypes.byref(instance)) != 0:
        return []
    loader.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
    handles = (ctypes.c_void_p * count.value)()
    loader.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
    listed = []
    for handle in handles[: count.value]:
        properties = ctypes.create_string_buffer(_MOST_PROPERTIES)
        loader.vkGetPhysicalDeviceProperties(ctypes.c_void_p(handle), properties)
        kind = int.from_bytes(properties.raw[_KIND], sys.byteorder)
        name = properties.raw[_NAME].partition(b"\0")[0].decode(errors="replace")
        listed.append(Device(name, kind == _PROCESSOR))
    loader.vkDestroyInstance(instance, None)
    return listed


# Of vulkan_core.h: VkInstanceCreateInfo.sType, and in VkPhysicalDeviceProperties, which is below
# 1 KiB, deviceType and deviceName behind four numbers of 32 bits.
_STRUCTURE_OF_AN_INSTANCE = 1
_MOST_PROPERTIES = 4096
_KIND, _NAME = slice(16, 20), slice(20, 276)
_PROCESSOR = 4
