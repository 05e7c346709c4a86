"""Every reader that is fuzzed, by name."""

from __future__ import annotations

from fuzzing import calls, casefiles, messages, onnxfiles, records
from fuzzing.reader import Reader

READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        casefiles.CASES,
        casefiles.KNOWN,
        casefiles.EXPRESSIONS,
        calls.CALLS,
        onnxfiles.ONNX,
        records.RECORDS,
        messages.MESSAGES,
    )
}
