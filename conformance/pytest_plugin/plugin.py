"""The pytest plugin: case files as tests, when `--conformance` asks for it. Until then it imports
nothing but pytest.
"""

from __future__ import annotations

from typing import Any

import pytest

OPTIONS: dict[str, dict[str, Any]] = {
    "--conformance-adapter": {
        "action": "append",
        "metavar": "ADAPTER",
        "help": "as `conformance run -a`: a name of the table, package.module:Class or"
        " cmd:'PROGRAM ARGS', LABEL=... renames it;"
        " several; all that are installed if none",
    },
    "--conformance-device": {"metavar": "NAME|all", "help": "as `conformance run --device`"},
    "--conformance-python": {
        "action": "append",
        "metavar": "ADAPTER=PATH",
        "help": "as `conformance run --python`; several",
    },
    "--conformance-known": {
        "action": "append",
        "metavar": "FILE",
        "help": "as `conformance run --known`; several",
    },
    "--conformance-timeout": {
        "type": float,
        "metavar": "SECONDS",
        "help": "limit of one call; 60 if not given",
    },
    "--conformance-shard": {"metavar": "I/N", "help": "as `conformance run --shard`"},
    "--conformance-slow": {"action": "store_true", "help": "cases tagged slow, too"},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "conformance of transposed convolutions")
    group.addoption(
        "--conformance",
        action="store_true",
        help="collect YAML case files: a test for every case and adapter",
    )
    for name, about in OPTIONS.items():
        group.addoption(name, **about)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--conformance"):
        from conformance.pytest_plugin.suite import Suite

        shard = config.getoption("--conformance-shard")
        if shard is not None:
            from conformance.pytest_plugin.sharding import Sharding

            config.pluginmanager.register(Sharding(shard), "conformance-sharding")
        config.pluginmanager.register(Suite(config), "conformance-suite")
        return
    for name in OPTIONS:
        if config.getoption(name):
            raise pytest.UsageError(f"{name}: does nothing alone, should stand with --conformance")


@pytest.fixture(scope="session")
def conformance_check() -> Any:
    """`conformance_check(my_kernel, cases=None)`: `conformance.check`, with a failure that says
    what is wrong and no more.
    """
    import conformance

    def check(kernel: Any, cases: Any = None) -> conformance.Report:
        report = conformance.check(kernel, cases)
        if not report.ok:
            pytest.fail(str(report), pytrace=False)
        return report

    return check
