"""The user documentation cannot go stale: its files load, its code and commands run, and its tables
are the code's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from helpers import CHECKOUT
from schemas import schema

from conformance import load_cases, pytest_plugin
from conformance.adapters import REGISTRY
from conformance.cli import app
from conformance.conventions import NAMES, Unrepresentable, get, normal_form
from conformance.corpus import known_files
from conformance.corpus.argument_reader import GENERIC
from conformance.corpus.case import DTYPES, KINDS_OF_VALUES
from conformance.corpus.case_reader import KEYS, REQUIRED
from conformance.corpus.tensors import dtype_of
from conformance.environments import npm
from conformance.errors import CaseFileError
from conformance.record.record import RECORD
from conformance.record.timing import Timing
from conformance.system import cache
from conformance.verdicts import known, known_reader
from conformance.verdicts.verdict import STATUSES, Verdict
from conformance.workers import protocol
from conformance.workers.timing import SLICES

ROOT = CHECKOUT
DOCS = ROOT / "docs"
PAGES = {
    path.stem: path
    for path in (
        ROOT / "README.md",
        *(
            DOCS / f"{name}.md"
            for name in (
                *("tour", "gatekeeper", "porter", "implementer", "kernels"),
                *(
                    "case-format",
                    "protocol",
                    "adapters",
                    "commands",
                    "reports",
                    "conventions",
                    "porting",
                ),
            )
        ),
    )
}
PROGRAMS = ("conformance", "pytest")
NOT_RUN = ("python -m pip", "pip ", "tox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, text, and the line where the text begins."""

    page: Path
    language: str
    text: str
    line: int

    @property
    def name(self) -> str | None:
        """The path that its first line gives it, as a comment."""
        found = re.match(r"# (\S+\.(?:ya?ml|py))\n", self.text)
        return found[1] if found else None

    @property
    def at(self) -> str:
        return f"{self.page.name}:{self.line}"


def text_of(page: str) -> str:
    return PAGES[page].read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    text = text_of(page)
    return [
        Block(
            page=PAGES[page],
            language=found[1],
            text=found[2],
            line=text.count("\n", 0, found.start()) + 2,
        )
        for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next of its level or above; a `# ` may also be a
    comment in a block.
    """
    found = re.search(rf"^(##+) {re.escape(title)}\n", text, re.MULTILINE)
    assert found, f"there is no heading {title}"
    return re.split(rf"^#{{2,{len(found[1])}}} ", text[found.end() :], flags=re.MULTILINE)[0]


def rows(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose header begins with that cell; a pipe inside a cell is written
    with a backslash.
    """
    lines = text.splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    table = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def code(cell: str) -> list[str]:
    """The words in backquotes of a cell."""
    return re.findall(r"`([^`]+)`", cell)


# Every page runs, from its first line to its last


def commands(block: Block) -> Iterator[tuple[list[str], int]]:
    """The conformance commands of a block, each with the exit code that its comment gives."""
    for line in filter(str.strip, block.text.splitlines()):
        if line.startswith(NOT_RUN):
            continue
        command, _, told = line.partition("  # exit ")
        words = shlex.split(command)
        assert words[0] in PROGRAMS, (
            f"{block.at}: {line} is not known, should be a command of {', '.join(PROGRAMS)}"
        )
        yield words, int(told or 0)


def needs(page: str) -> set[str]:
    """The packages without which the page's commands cannot run as they stand."""
    found = {"torch"} if any("import torch" in block.text for block in blocks(page)) else set()
    for block in blocks(page):
        for words, _ in commands(block) if block.language == "sh" else ():
            named = [
                words[place + 1]
                for place, word in enumerate(words)
                if word in ("-a", "--adapter", "--conformance-adapter")
            ]
            if words[1] in ("run", "--conformance") and not named:
                named = ["torch"]  # whatever is installed: at least one must be
            for name in named:
                found.update(REGISTRY[name].needs if name in REGISTRY else ())
    return found


def follows(expected: str, output: str) -> str | None:
    """The first line of `expected` that the output does not have behind the lines before it; `...`
    stands for anything.
    """
    left = iter(output.splitlines())
    for line in expected.splitlines():
        pattern = ".*".join(map(re.escape, line.strip().split("...")))
        if line.strip() != "..." and not any(
            re.fullmatch(pattern, other.strip()) for other in left
        ):
            return line
    return None


def run_page(page: str, folder: Path) -> list[list[str]]:
    """Do all that the page says, in order, in an empty folder; the commands that were run."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "400",
    }
    namespace: dict[str, Any] = {"__name__": page}
    output, ran = "", []
    for block in blocks(page):
        match block.language:
            case "yaml" | "python" if block.name is not None:
                file = folder / block.name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            case "python":
                told = io.StringIO()
                with contextlib.redirect_stdout(told), contextlib.chdir(folder):
                    exec(compile(block.text, block.at, "exec"), namespace)
                output = told.getvalue()
            case "sh":
                output = ""
                for words, code_wanted in commands(block):
                    process = subprocess.run(
                        [sys.executable, "-m", *words],
                        cwd=folder,
                        env=environment,
                        capture_output=True,
                        text=True,
                        timeout=120,
                        check=False,
                    )
                    told_all = process.stdout + process.stderr
                    assert process.returncode == code_wanted, (
                        f"{block.at}: {shlex.join(words)}\n{told_all}"
                    )
                    output += told_all
                    ran.append(words)
            case "text" if output:
                missing = follows(block.text, output)
                assert missing is None, f"{block.at}: {missing!r} is not in\n{output}"
    return ran


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs a page once: its folder and its commands."""
    done: dict[str, tuple[Path, list[list[str]]]] = {}

    def run(page: str) -> tuple[Path, list[list[str]]]:
        if page not in done:
            for package in sorted(needs(page)):
                if importlib.util.find_spec(package) is None:
                    pytest.skip(f"{page} runs {package}, which is not installed")
            folder = tmp_path_factory.mktemp(page)
            done[page] = folder, run_page(page, folder)
        return done[page]

    return run


@pytest.mark.parametrize("page", PAGES)
def test_page_runs(page: str, ran: Any) -> None:
    """What a page tells a reader to do works in an empty folder, exits as it says and prints what
    it shows.
    """
    _, done = ran(page)
    assert len(done) >= {"conventions": 0}.get(page, 1)


def test_a_changed_output_is_noticed() -> None:
    """A line that is not printed, and lines in another order, are told."""
    assert follows("a ... c\n...\ne\n", "a b c\nd\ne\n") is None
    assert follows("a\nx\n", "a\nb\n") == "x"
    assert follows("b\na\n", "a\nb\n") == "a"


def test_readme_kernel_is_checked() -> None:
    """The kernel of README passes as it stands, and fails as soon as it computes something else, on
    a part of the cases.
    """
    (block,) = (block for block in blocks("README") if block.language == "python")
    wrong = block.text.replace("return y.astype", "return 2 * y.astype")
    few = wrong.replace("check(my_kernel, ", "check(my_kernel, 'textbook/*', ")
    assert len(few) > len(wrong) > len(block.text)
    with pytest.raises(AssertionError, match="cases fail"):
        exec(few, {"__name__": "readme"})


def test_engine_of_the_page_conforms(ran: Any) -> None:
    """The engine of the protocol page answers most cases that it was given, and all of them
    rightly.
    """
    folder, _ = ran("protocol")
    lines = [
        json.loads(line) for line in (folder / "reports/latest" / RECORD).read_text().splitlines()
    ]
    statuses = [line["status"] for line in lines if line["type"] == "verdict"]
    assert set(statuses) <= {"conforms", "unsupported"}
    assert statuses.count("conforms") > 40


def test_engine_of_the_page_needs_nothing() -> None:
    """The engine imports Python's standard library alone."""
    (engine,) = (block for block in blocks("protocol") if block.name == "engine.py")
    imported = re.findall(r"^(?:import|from) (\w+)", engine.text, re.MULTILINE)
    assert imported
    assert set(imported) <= sys.stdlib_module_names


# Case files


def yaml_blocks(*, whole: bool) -> list[Block]:
    found = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]
    others = (
        "- adapter:",
        "\njobs:",
        "- uses:",
        "\nrepos:",
    )  # known failures, workflows and their steps, hooks
    found = [block for block in found if not any(word in block.text for word in others)]
    return [block for block in found if ("\nformat:" in "\n" + block.text) == whole]


def ids(block: Block) -> str:
    return block.at


@pytest.mark.parametrize("block", yaml_blocks(whole=True), ids=ids)
def test_whole_case_file_loads(block: Block, tmp_path: Path) -> None:
    """A case file on a page loads; the one that is called broken does not."""
    file = tmp_path / "cases" / Path(block.name or "unnamed.yaml").name
    file.parent.mkdir()
    file.write_text(block.text, encoding="utf-8")
    if file.stem == "broken":
        with pytest.raises(CaseFileError):
            load_cases(file)
    else:
        assert load_cases(file)


@pytest.mark.skipif(sys.platform != "linux", reason="a job on ubuntu-latest")
def test_the_step_that_keeps_what_was_compiled_names_its_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder of all processors, as it is without any variable."""
    for name in ("CONFORMANCE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    [step] = [
        step
        for block in blocks("gatekeeper")
        if "actions/cache" in block.text
        for step in yaml.safe_load(block.text)
    ]
    assert Path(step["with"]["path"]).expanduser() == cache.folder().parent


def as_file(fragment: str) -> str:
    """A part of a case as a file of one case: what is missing is added, and the kernel fits the
    input.
    """
    given = set(re.findall(r"^(\w+):", fragment, re.MULTILINE))
    base = {
        "id": "one",
        "summary": "One case.",
        "source": "made up",
        "input": "{shape: [5, 5], values: ones}",
        "kernel": "{shape: [3, 3], values: ones}",
    }
    lines = [
        f"{key}: {value}" for key, value in base.items() if key not in given
    ] + fragment.splitlines()
    return (
        "format: 1\ncases:\n"
        + "\n".join(("  - " if not number else "    ") + line for number, line in enumerate(lines))
        + "\n"
    )


@pytest.mark.parametrize("block", yaml_blocks(whole=False), ids=ids)
def test_part_of_a_case_loads(block: Block, tmp_path: Path) -> None:
    """A part of a case on a page is a case once what every case needs is added."""
    file = tmp_path / "one.yaml"
    file.write_text(as_file(block.text), encoding="utf-8")
    assert len(load_cases(file)) == 1


def test_every_key_has_an_example_and_a_row() -> None:
    """The case format shows every key in a YAML block and in a table, which says the ones that are
    needed.
    """
    shown = "\n".join(
        block.text for block in yaml_blocks(whole=False) if block.page.stem == "case-format"
    )
    assert set(re.findall(r"^(\w+):", shown, re.MULTILINE)) == set(KEYS)
    wanted = section(text_of("case-format"), "What is wanted")
    table = {code(key)[0]: absent for key, _, absent in rows(wanted, "key")}
    assert list(table) == list(KEYS)
    assert [key for key, absent in table.items() if absent == "an error"] == list(REQUIRED)
    assert all(f"`{key}`" in section(text_of("case-format"), "Native arguments") for key in GENERIC)


def test_values_and_dtypes_are_the_codes() -> None:
    """The recipes and dtypes of the case format are those that the reader takes."""
    text = text_of("case-format")
    assert [code(row[0])[0] for row in rows(section(text, "Arrays"), "`values`")] == list(
        KINDS_OF_VALUES
    )
    (sentence,) = re.findall(r"^The `dtype` is one of (.*)$", text, re.MULTILINE)
    assert code(sentence) == list(DTYPES)


def test_schema_of_the_page_is_there() -> None:
    """The path that the page gives for the JSON Schema exists in a checkout."""
    paths = set(re.findall(r"conformance/schema/[\w.]+", text_of("case-format")))
    assert paths == {"conformance/schema/case.schema.json"}
    assert (ROOT / paths.pop()).is_file()


@pytest.mark.parametrize(
    "block", [b for page in PAGES for b in blocks(page) if b.language == "json"], ids=ids
)
def test_json_is_json(block: Block) -> None:
    """A block of JSON parses."""
    assert json.loads(block.text)


# Protocol and adapters


def test_dtypes_of_the_protocol() -> None:
    """The protocol lists the dtypes that the suite sends, with their sizes."""
    table = {code(row[0])[0]: int(row[1]) for row in rows(text_of("protocol"), "dtype")}
    assert table.keys() == set(DTYPES)
    assert table == {name: dtype_of(name).itemsize for name in table}


def keys_of_native() -> dict[str, dict[str, tuple[str, str]]]:
    """Convention -> key -> what the protocol says it has, and what where nothing is asked for."""
    table: dict[str, dict[str, tuple[str, str]]] = {}
    for convention, key, value, otherwise in rows(text_of("protocol"), "convention"):
        table.setdefault(code(convention)[0], {})[code(key)[0]] = value, otherwise
    return table


def test_keys_of_native_are_the_conventions() -> None:
    """The protocol's table has the arguments of each convention and those for the output's dtype,
    with their defaults; and shipped cases ask for every one of them and for no other.
    """
    of_dtypes = {"jax": ["preferred_element_type"], "flax": ["dtype"]}
    table = keys_of_native()
    assert list(table) == list(NAMES)
    asked: dict[str, set[str]] = {name: set() for name in NAMES}
    for case, name in itertools.product(load_cases(ROOT / "cases"), NAMES):
        native = case.arguments(name) if case.concerns(name) else {}
        asked[name] |= set() if isinstance(native, Unrepresentable) else set(native)
    for name, keys in table.items():
        arguments = get(name).ARGUMENTS
        assert list(keys) == [*arguments, *of_dtypes.get(name, [])]
        assert set(keys) == asked[name]
        for key, (_, otherwise) in keys.items():
            if key not in arguments or arguments[key].optional:
                assert otherwise.startswith("absent: ")
            else:
                assert otherwise == f"`{json.dumps(arguments[key].default)}`"


def test_values_of_native_are_the_schemas() -> None:
    """The protocol's table and its JSON Schema say the same of every key."""
    parts = schema("protocol")["$defs"]
    said = {
        "per_axis": "a list: a whole number per axis",
        "per_axis_or_null": "a list: a whole number per axis; or null, which is not 0",
        "begins_and_ends": "a list: all begins, a whole number per axis, then all ends",
        "same_valid_or_pairs": '`"SAME"`, `"VALID"`, or a list: `[low, high]` per axis',
        "count": "a whole number",
        "dtype_of_output": "a dtype of the [table](#a-message)",
    }
    for name, keys in keys_of_native().items():
        part = parts[f"native_{name}"]
        assert list(part["properties"]) == list(keys)
        for key, (value, otherwise) in keys.items():
            entry = part["properties"][key]
            if "enum" in entry:
                assert value == ", ".join(f'`"{word}"`' for word in entry["enum"])
            elif entry.get("type") == "boolean":
                assert value == "true or false"
            else:
                assert value == said[entry["$ref"].rpartition("/")[2]]
            assert (key in part["required"]) == (not otherwise.startswith("absent: "))


def test_limits_of_the_protocol() -> None:
    """The limits that the protocol states are the code's."""
    from conformance.workers import engine, process

    text = " ".join(text_of("protocol").split())
    assert (
        f"at most {protocol.LONGEST_LINE // 2**20} MiB, and a tensor at most "
        f"{protocol.MOST_BYTES // 2**30} GiB" in text
    )
    assert f"may take {process.START_SECONDS:g} seconds" in text
    assert {1: "one", 2: "two"}[engine.MOST_FAILED_STARTS] + " failed starts" in text
    assert inspect.signature(engine.close_all).parameters["grace"].default == 2.0
    assert "after two seconds" in text
    assert f'"protocol": {protocol.VERSION},' in text


def test_adapters_are_the_registry() -> None:
    """The table of adapters has every adapter, with the convention that its class speaks."""
    table = {code(row[0])[0]: code(row[1])[0] for row in rows(text_of("adapters"), "adapter")}
    assert list(table) == [name for name, entry in REGISTRY.items() if entry.variant_of is None]
    variants = {code(row[0])[0]: code(row[1])[0] for row in rows(text_of("adapters"), "variant")}
    assert variants == {
        name: entry.variant_of for name, entry in REGISTRY.items() if entry.variant_of
    }
    for name, convention in table.items():
        entry = REGISTRY[name]
        file = (
            npm.PROGRAMS / f"{entry.node[0]}.mjs"
            if entry.node
            else ROOT / (entry.module.replace(".", "/") + ".py")
        )
        said = f'convention: "{convention}"' if entry.node else f'convention = "{convention}"'
        assert said in file.read_text(encoding="utf-8")


def test_row_of_the_registry() -> None:
    """Every key of a row, and every variable that the table sets, is explained."""
    text = text_of("adapters")
    keys = {key for row in rows(section(text, "The table"), "key") for key in code(row[0])}
    assert keys == {field.name for field in fields(REGISTRY["torch"])}
    from conformance.adapters import NOT_ALONE, precision_environment, thread_environment
    from conformance.system import cache

    variables = {name for entry in REGISTRY.values() for name in entry.environment} | set(
        thread_environment(1)
    )
    variables |= {*cache.environment(), *precision_environment("strict"), *NOT_ALONE}
    assert all(f"`{name}" in section(text, "Environment variables") for name in variables)


# Commands


def without_blocks(text: str) -> str:
    return re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def typer_commands() -> dict[str, Any]:
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", typer_commands())
def test_command_and_its_options_are_documented(name: str) -> None:
    """Every command has a section that names each of its options and arguments, and an option's
    default where it has one.
    """
    told = without_blocks(section(text_of("commands"), f"conformance {name}")).replace("\\|", "|")
    for parameter in typer_commands()[name].params:
        if parameter.param_type_name == "argument":
            assert parameter.metavar.strip("[].") in told
            continue
        for word in (*parameter.opts, *parameter.secondary_opts):
            assert re.search(rf"(?<![\w-]){word}(?![\w-])", told), word
        assert parameter.is_flag or not parameter.metavar or parameter.metavar in told, (
            parameter.metavar
        )
        if isinstance(parameter.default, str | float | Path) and not parameter.is_flag:
            shown = (
                f"{parameter.default:g}"
                if isinstance(parameter.default, float)
                else str(parameter.default)
            )
            assert re.search(rf"\| `?{re.escape(shown)}`? \|", told), shown


def test_no_other_command_or_option_is_documented() -> None:
    """The page names no command and no option that is not there, nor does any other page."""
    known = {"--conformance", *pytest_plugin.OPTIONS}
    for command in typer_commands().values():
        known |= {
            word
            for parameter in command.params
            for word in (*parameter.opts, *parameter.secondary_opts)
        }
    for page in PAGES:
        prose = without_blocks(text_of(page))
        used = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", prose)) - {"--help", "--version"}
        assert used <= known, f"{page}: {used - known}"
        named = set(re.findall(r"`conformance ([a-z]+)\b", prose))
        assert named <= set(typer_commands()), f"{page}: {named}"
    assert [code(row[0])[0] for row in rows(text_of("commands"), "command")] == list(
        typer_commands()
    )


def test_options_of_pytest_are_the_plugins() -> None:
    """The table has every option of the plugin, and the options of `run` that it compares them with
    exist.
    """
    table = {
        code(row[0])[0].split()[0]: row[1]
        for row in rows(section(text_of("commands"), "pytest"), "option")
    }
    assert list(table) == list(pytest_plugin.OPTIONS)
    known = {word for parameter in typer_commands()["run"].params for word in parameter.opts}
    assert {code(told)[0] for told in table.values() if told.startswith("as ")} <= known


def test_python_names_are_the_packages() -> None:
    """The Python names that are documented exist, and no other function is missing."""
    import conformance

    names = {
        code(row[0])[0].split(".")[1].split("(")[0] for row in rows(text_of("commands"), "name")
    }
    assert names | {"Case", "CaseFileError", "ModelError", "PortError", "Report"} == set(
        conformance.__all__
    )
    assert all(
        f"`{name}`" in section(text_of("commands"), "In Python")
        for name in ("Case", "CaseFileError", "PortError", "Report")
    )


# Reports


def test_statuses_are_the_codes() -> None:
    """The table of statuses has the code's statuses, meanings and effect on the gate, and the
    page's signs.
    """
    text = text_of("reports")
    table = {code(name)[0]: (meaning, gate) for name, meaning, gate in rows(text, "status")}
    assert table == {
        name: (s.meaning, "fails" if s.fails else "passes") for name, s in STATUSES.items()
    }
    assert {code(row[1])[0]: row[0] for row in rows(text, "sign")} == {
        name: s.sign for name, s in STATUSES.items()
    }


def keys_of_line(kind: str) -> set[str]:
    return {
        key
        for row in rows(section(text_of("reports"), f"The line {kind}"), "key")
        for key in code(row[0])
    }


def test_every_key_of_the_record_is_explained(ran: Any) -> None:
    """The lines of the record that the page's first run writes have the keys that the page
    explains, and no others.
    """
    folder, _ = ran("reports")
    lines = [json.loads(line) for line in (folder / "first" / RECORD).read_text().splitlines()]
    assert {line["type"] for line in lines} == {"run", "case", "verdict", "end"}
    for line in lines:
        assert set(line) == keys_of_line(line["type"])
    (run,) = (line for line in lines if line["type"] == "run")
    explained = section(text_of("reports"), "The line run")
    assert all(f"`{key}`" in explained for key in (*run["adapters"][0], *run["cpu"]))
    (wrong,) = (line for line in lines if line.get("status") == "differs")
    explained = section(text_of("reports"), "The line verdict")
    assert all(
        f"`{key}`" in explained
        for key in (*wrong["mismatch"], "bits", "formats", *wrong["diagnosis"], *wrong["got"])
    )
    case = next(line for line in lines if line["type"] == "case")
    explained = section(text_of("reports"), "The line case")
    assert all(
        f"`{key}`" in explained
        for key in (*case["geometry"], *case["geometry"]["axes"][0], *case["input"])
    )


def test_verdict_keys_are_the_verdicts() -> None:
    """The keys of a verdict line are the attributes of a Verdict."""
    assert keys_of_line("verdict") == {"type", "check", *(field.name for field in fields(Verdict))}


def test_timing_is_explained(ran: Any) -> None:
    """Every figure of a timing is explained, the slices are the code's, and the page's network case
    was timed.
    """
    text = section(text_of("reports"), "Timings")
    assert {key for row in rows(text, "key of `timing`") for key in code(row[0])} == {
        field.name for field in fields(Timing)
    }
    assert SLICES == {"off": 0, "quick": 0.2, "full": 5}
    assert (
        "0.2 seconds for a case with `--timing quick` and 5 seconds with `--timing full`"
        in " ".join(text.split())
    )
    folder, _ = ran("reports")
    lines = [json.loads(line) for line in (folder / "first" / RECORD).read_text().splitlines()]
    (timed,) = (line["timing"] for line in lines if line["type"] == "verdict" and line["timing"])
    assert (
        timed.keys()
        == asdict(
            Timing(
                mode="",
                threads=1,
                first=0,
                minimum=0,
                lower=0,
                median=0,
                upper=0,
                count=0,
                rounds=(),
            )
        ).keys()
    )


def test_keys_of_known_differences_are_the_codes() -> None:
    """The page has every key of a known failure, says which are needed, what `where` may hold
    and how it may fail.
    """
    text = section(text_of("reports"), "Known failures")
    table = {code(row[0])[0]: row for row in rows(text, "key")}
    assert list(table) == list(known_files.KEYS)
    assert [key for key, row in table.items() if row[2] == "needed"] == list(known_reader.REQUIRED)
    assert [code(row[0])[0] for row in rows(text, "key of `where`")] == [
        *known.OF_THE_MACHINE,
        "onednn",
    ]
    assert set(code(table["status"][1])) == set(known_reader.FAILING)


# Conventions


@pytest.mark.parametrize("name", NAMES)
def test_native_arguments_are_the_conventions(name: str) -> None:
    """The arguments of each convention, and their defaults, are those of its table in the code."""
    shown = {
        code(row[0])[0]: row[1] for row in rows(section(text_of("conventions"), name), "argument")
    }
    known = {
        key: "absent" if argument.optional else json.dumps(argument.default).strip('"')
        for key, argument in get(name).ARGUMENTS.items()
    }
    assert shown == known


def spelled(name: str, arguments: str, values: dict[str, int]) -> dict[str, Any]:
    """Native arguments for a row of a page's table of formulas; 1-D."""
    p, q, a, b, size = (values[key] for key in ("p", "q", "a", "b", "L"))
    window = {
        "torch": "stride",
        "keras": "strides",
        "tensorflow": "strides",
        "jax": "strides",
        "flax": "strides",
        "onnx": "strides",
    }
    dilation = {
        "torch": "dilation",
        "keras": "dilation_rate",
        "jax": "rhs_dilation",
        "flax": "kernel_dilation",
    }
    native: dict[str, Any] = {
        window[name]: values["S"],
        dilation.get(name, "dilations"): values["D"],
    }
    for word in re.split(r", (?![^\[]*\])", arguments):
        match word:
            case "padding=p":
                native["padding"] = p
            case "output_padding=q":
                native["output_padding"] = q
            case "output_size=L":
                native["output_size"] = size
            case "output_shape=L":
                native["output_shape"] = size
            case "pads=[a, b]":
                native["pads"] = [a, b]
            case "[a, b]":
                native["padding"] = [[a, b]]
            case "use_consistent_padding":
                native["use_consistent_padding"] = True
            case "valid" | "same" | "SAME" | "VALID" | "SAME_UPPER" | "SAME_LOWER":
                native["auto_pad" if name == "onnx" else "padding"] = word
            case other:
                raise AssertionError(f"{name}: {other} is not known to this test")
    return native


@pytest.mark.parametrize("name", NAMES)
def test_formulas_are_the_conventions(name: str) -> None:
    """What the start loses and the size of the output, by the page's formulas, are what the package
    computes.
    """
    table = [
        [code(cell)[0] for cell in row]
        for row in rows(section(text_of("conventions"), name), "arguments")
    ]
    assert table
    for arguments, start, output in table:
        for K, S, D, q in itertools.product(range(1, 6), range(1, 5), (1, 2), (0, 1, 2)):
            values = {
                "I": 4,
                "K": K,
                "S": S,
                "D": D,
                "q": q,
                "p": 1,
                "a": 1,
                "b": 2,
                "L": 4 * S + q - 1,
            }
            values["Ke"] = D * (K - 1) + 1
            values["F"] = (values["I"] - 1) * S + values["Ke"]
            native = normal_form(name, spelled(name, arguments, values), 1)
            (axis,) = get(name).geometry(native, size=[4], kernel=[K]).axes
            given = {**values, "max": max}
            size = eval(output, {"__builtins__": {}}, given)
            low = eval(start, {"__builtins__": {}}, {**given, "L": size})
            assert (low, size) == (axis.crop_low, axis.out), (
                f"{name}: {arguments} with K={K}, S={S}, D={D}, q={q}"
            )


def window(name: str, kernel: int, **arguments: Any) -> tuple[int, int, int]:
    """What the start and the end lose, and the size of the output, of an input of 5 in 1-D."""
    (axis,) = get(name).geometry(normal_form(name, arguments, 1), size=[5], kernel=[kernel]).axes
    return axis.crop_low, axis.crop_high, axis.out


def columns(kernel: int, stride: int) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """The columns of the table of windows: what a title stands for, in one or more conventions."""
    p = (kernel - 1) // 2
    return {
        "`valid`": [
            ("keras", {"strides": stride, "padding": "valid"}),
            ("tensorflow", {"strides": stride, "padding": "VALID"}),
            ("jax", {"strides": stride, "padding": "VALID"}),
            ("flax", {"strides": stride, "padding": "VALID"}),
        ],
        "torch, `padding=(K - 1) // 2`, `output_padding=S - 1`": [
            ("torch", {"stride": stride, "padding": p, "output_padding": stride - 1}),
        ],
        "`same`": [
            ("keras", {"strides": stride, "padding": "same"}),
            ("tensorflow", {"strides": stride, "padding": "SAME"}),
            ("jax", {"strides": stride, "padding": "SAME"}),
            ("flax", {"strides": stride, "padding": "SAME"}),
        ],
        "Keras `same`, `output_padding=S - 1`": [
            ("keras", {"strides": stride, "padding": "same", "output_padding": stride - 1})
        ],
        "ONNX `SAME_UPPER`": [("onnx", {"strides": stride, "auto_pad": "SAME_UPPER"})],
        "ONNX `SAME_LOWER`": [("onnx", {"strides": stride, "auto_pad": "SAME_LOWER"})],
        "JAX pair of `(K - 1) // 2`": [("jax", {"strides": stride, "padding": [[p, p]]})],
    }


def cell(taken: tuple[int, int, int]) -> str:
    low, high, out = (f"+{-n}" if n < 0 else str(n) for n in taken)
    return f"{low}, {high}: {out}"


def windows_table() -> str:
    """The table of windows as the page has it: kernels 2 to 5, strides 1 to 3."""
    lines = [
        "| K | S | " + " | ".join(columns(2, 1)) + " |",
        "| --- | --- |" + " --- |" * len(columns(2, 1)),
    ]
    for K, S in itertools.product(range(2, 6), range(1, 4)):
        cells = []
        for spellings in columns(K, S).values():
            (one,) = {window(name, K, **arguments) for name, arguments in spellings}
            cells.append(cell(one))
        lines.append(f"| {K} | {S} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


Spelling = tuple[str, dict[str, Any]]
PAIRS: list[tuple[str, int, Spelling, Spelling]] = [
    (
        "torch 3/2/1/1 | Keras 3, 2, `same`",
        3,
        ("torch", {"stride": 2, "padding": 1, "output_padding": 1}),
        ("keras", {"strides": 2, "padding": "same"}),
    ),
    (
        "torch 5/2/2/1 | Keras 5, 2, `same`",
        5,
        ("torch", {"stride": 2, "padding": 2, "output_padding": 1}),
        ("keras", {"strides": 2, "padding": "same"}),
    ),
    (
        "ONNX 3, 2, `SAME_UPPER` | ONNX 3, 2, `SAME_LOWER`",
        3,
        ("onnx", {"strides": 2, "auto_pad": "SAME_UPPER"}),
        ("onnx", {"strides": 2, "auto_pad": "SAME_LOWER"}),
    ),
    (
        "torch 3/2/1/1 | Keras 3, 2, `same`, `output_padding=1`",
        3,
        ("torch", {"stride": 2, "padding": 1, "output_padding": 1}),
        ("keras", {"strides": 2, "padding": "same", "output_padding": 1}),
    ),
    (
        "torch 4/2/1/0 | JAX 4, 2, pair of 1",
        4,
        ("torch", {"stride": 2, "padding": 1}),
        ("jax", {"strides": 2, "padding": 1}),
    ),
    (
        "torch 3/1/0/0 | JAX 3, 1, pair of 0",
        3,
        ("torch", {}),
        ("jax", {"padding": 0}),
    ),
    (
        "Keras 2, 3, `valid` | Keras 2, 3, `valid`, `output_padding=0`",
        2,
        ("keras", {"strides": 3}),
        ("keras", {"strides": 3, "output_padding": 0}),
    ),
    (
        "Keras 4, 2, `same` | Keras 4, 2, `same`, `output_padding=0`",
        4,
        ("keras", {"strides": 2, "padding": "same"}),
        ("keras", {"strides": 2, "padding": "same", "output_padding": 0}),
    ),
    (
        "torch 4/2/1/0 | Keras 4, 2, `same`",
        4,
        ("torch", {"stride": 2, "padding": 1}),
        ("keras", {"strides": 2, "padding": "same"}),
    ),
    (
        "torch 2/2/0/0 | Keras 2, 2, `same`",
        2,
        ("torch", {"stride": 2}),
        ("keras", {"strides": 2, "padding": "same"}),
    ),
    (
        "torch 3/2/1/0 | JAX 3, 2, pair of 1",
        3,
        ("torch", {"stride": 2, "padding": 1}),
        ("jax", {"strides": 2, "padding": 1}),
    ),
]


def pairs_table() -> str:
    """The table of pairs as the page has it."""
    lines = ["| this | and this | the first | the second | |", "| --- | --- | --- | --- | --- |"]
    for titles, kernel, (name, arguments), (other, others) in PAIRS:
        one, two = window(name, kernel, **arguments), window(other, kernel, **others)
        verdict = (
            "agree" if one == two else "differ, the same size" if one[2] == two[2] else "differ"
        )
        lines.append(f"| {titles} | {cell(one)} | {cell(two)} | {verdict} |")
    return "\n".join(lines)


def test_windows_are_the_packages() -> None:
    """The table of windows is what the package computes, and conventions that share a column
    agree.
    """
    assert windows_table() in text_of("conventions")


def test_pairs_are_the_packages() -> None:
    """The table of pairs that sound alike is what the package computes."""
    assert pairs_table() in text_of("conventions")


# Links and names


@pytest.mark.parametrize("page", [*PAGES.values()], ids=lambda path: path.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link leads to a file, and its fragment to a heading there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:|\.\./\.\./actions/workflows/", target):  # GitHub's page of a workflow
            workflow = target.removesuffix("/badge.svg").rpartition("/")[2]
            assert ":" in target or (ROOT / ".github" / "workflows" / workflow).is_file(), target
            continue
        name, _, fragment = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), f"{page.name}: {target}"
        if file.suffix == ".png":
            continue
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not fragment or fragment in slugs, f"{page.name}: {target}"


def test_tox_environments_exist() -> None:
    """Every tox environment that a page names is in tox.ini, with its factors in braces written
    out.
    """
    ini = (ROOT / "tox.ini").read_text(encoding="utf-8")
    there = set(re.findall(r"^env_list = (\w+)", ini, re.MULTILINE))
    for name in re.findall(r"^\[testenv:(.+)\]", ini, re.MULTILINE):
        parts = [
            part[1:-1].split(",") if part.startswith("{") else [part]
            for part in re.split(r"(\{[^}]*\})", name)
            if part
        ]
        there |= {"".join(choice) for choice in itertools.product(*parts)}
    named = [
        name for page in PAGES for name in re.findall(r"tox (?:run )?-e ([\w.-]*\w)", text_of(page))
    ]
    assert named
    assert set(named) <= there


def test_names_of_cases_exist() -> None:
    """A full name or glob of shipped cases in a command matches one."""
    names = [case.name for case in load_cases(ROOT / "cases")]
    used = [
        word
        for page in PAGES
        for block in blocks(page)
        if block.language == "sh"
        for words, wanted in commands(block)
        for word in words
        if wanted == 0 and re.match(r"(textbook|arithmetic|networks|conventions)/", word)
    ]
    assert used
    assert all(any(fnmatchcase(name, word) for name in names) for word in used)
