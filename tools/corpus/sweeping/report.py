"""The report of a sweep."""

from __future__ import annotations

from collections.abc import Iterator

from sweeping.findings import Finding, Sweep

PARTS = ("native", "canonical", "other", "equal")

STATUSES = ("agrees", "refused", "differs", "crashed", "known")


def report(result: Sweep) -> Iterator[str]:
    """The table, and each distinct cause with its smallest example."""
    yield (
        f"{result.adapter}: {len(result.findings)} calls in {result.seconds:.0f} s; "
        f"{result.unrepresentable} windows unrepresentable ({result.cut} with more spellings than "
        "were tried)"
    )
    yield "  " + "".join(f"{title:>10}" for title in ("", *STATUSES))
    for part in PARTS:
        counts = result.counts(part)
        yield "  " + f"{part:>10}" + "".join(f"{counts[status]:>10}" for status in STATUSES)
    causes: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in result.findings:
        if finding.status != "agrees" or finding.fails:
            causes.setdefault((finding.status, finding.call.part, finding.cause), []).append(
                finding
            )
    for (status, part, cause), findings in sorted(
        causes.items(), key=lambda entry: (not entry[1][0].fails, entry[0])
    ):
        prefix = "FAILS " if findings[0].fails else ""
        yield f"  {prefix}{part} {status} {len(findings)} times: {cause}"
        least = min(findings, key=lambda finding: finding.call.size())
        if status != "refused" or least.fails:
            yield f"      {least.call.text()}"
            yield from (f"      {line}" for line in least.detail.splitlines())
