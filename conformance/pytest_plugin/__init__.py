"""How does pytest run case files? Until `--conformance` asks for it, this imports nothing but
pytest.
"""

from conformance.pytest_plugin.plugin import (
    OPTIONS,
    conformance_check,
    pytest_addoption,
    pytest_configure,
)

__all__ = ["OPTIONS", "conformance_check", "pytest_addoption", "pytest_configure"]
