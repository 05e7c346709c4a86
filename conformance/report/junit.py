"""JUnit XML of a record, as CI servers show it: a suite for each adapter and device, a test for
each case and quantity.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from conformance.errors import RecordError
from conformance.printing import text_of
from conformance.record import messages as record_messages
from conformance.record.record import Record
from conformance.system.files import replace_file
from conformance.verdicts import messages
from conformance.verdicts.facts import explanation
from conformance.verdicts.verdict import Verdict


def write_junit(record: Record, file: Path) -> None:
    """Write the file. Raises RecordError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, junit(record))
    except OSError as error:
        raise RecordError(
            f"{file} cannot be written: {error.strerror}, should be a file in a folder with room"
        ) from None


def junit(record: Record) -> str:
    """The text of the file: it fails where the gate does, also where no verdict is to blame."""
    root = ElementTree.Element("testsuites", name="conformance")
    for entry in record.run["adapters"]:
        label = entry["label"]
        for device in record.run["devices"][label]:
            of_it = [v for v in record.verdicts if (v.adapter, v.device) == (label, device)]
            suite = _suite(root, f"{label} ({device})", record)
            properties = ElementTree.SubElement(suite, "properties")
            for name, version in record.run["versions"][label].items():
                ElementTree.SubElement(
                    properties, "property", name=_line(name), value=_line(version)
                )
            for verdict in of_it:
                _test(suite, verdict, record)
            _count(suite)
    _whole(root, record)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(root: ElementTree.Element, name: str, record: Record) -> ElementTree.Element:
    return ElementTree.SubElement(
        root,
        "testsuite",
        name=_line(name),
        timestamp=_line(str(record.run["started"]).partition("+")[0]),
    )


def _test(suite: ElementTree.Element, verdict: Verdict, record: Record) -> None:
    quantity = "" if verdict.quantity == "output" else f"[{verdict.quantity}]"
    folder, _, name = verdict.case.rpartition("/")
    test = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_line(folder or suite.attrib["name"]),
        name=_line(name + quantity),
    )
    if verdict.timing is not None:
        test.set("time", f"{verdict.timing['median']:.9f}")
    if verdict.unexpected:
        failure = ElementTree.SubElement(
            test, "failure", type=verdict.status, message=_line(messages.brief(verdict))
        )
        failure.text = messages.message(verdict, record.run, record.cases[verdict.case])
    elif verdict.known is not None:
        ElementTree.SubElement(test, "skipped", message=_line(f"known: {verdict.known}"))
    elif verdict.status != "conforms":
        reason = " ".join([f"{verdict.status}:", *explanation(verdict)])
        ElementTree.SubElement(test, "skipped", message=_line(reason))


def _whole(root: ElementTree.Element, record: Record) -> None:
    """A suite of what fails the gate and is of no verdict, if there is anything."""
    problems = [f"{problem['entry']}: {problem['problem']}" for problem in record.problems]
    problems += record_messages.unchecked(record)[: len(record.unchecked)]
    if record.end is None:
        problems.append(record_messages.summary(record))
    if not problems:
        return
    suite = _suite(root, "the whole", record)
    for number, problem in enumerate(problems, 1):
        test = ElementTree.SubElement(
            suite, "testcase", classname="the whole", name=f"problem {number}"
        )
        ElementTree.SubElement(test, "failure", type="problem", message=_line(problem))
    _count(suite)


def _count(suite: ElementTree.Element) -> None:
    suite.attrib |= {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": "0",
        "skipped": str(len(suite.findall("testcase/skipped"))),
    }


def _line(text: str) -> str:
    """A text of anybody's as an attribute: what XML cannot hold is written out."""
    return text_of([text])
