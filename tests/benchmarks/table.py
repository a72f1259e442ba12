"""The tables of the README, made from the results file and from nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results.json"
README = ROOT / "README.md"
HEADING = "## Beside its peers\n"
LABELS = ("clean", "noisy")


def render(results: dict) -> str:
    """The tables of what was measured, as Markdown, and what it was measured on."""
    sections = {
        "search": search, "sampling": sampling, "evidence": evidence,
        "counting": counting, "batch": batch, "speed": speed, "syncmoss": syncmoss,
        "diffraction": diffraction,
    }  # fmt: skip
    parts = [
        f"{draw(results[name]['found'])}\n\n{footing(results[name])}"
        for name, draw in sections.items()
        if name in results
    ]
    return "\n\n".join(parts) + "\n"


def rows(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def search(found: dict) -> str:
    """Found of runs, and CPU seconds of one."""
    names = dict.fromkeys(name.rpartition(", ")[0] for name in found)
    body = []
    for name in names:
        ours = not name.startswith(("lmfit", "MAP"))
        who = f"specfit: {name}" if ours else f"{name}, a start: {REPORT}"
        body.append([who, *(_found(found[f"{name}, {label}"]) for label in LABELS)])
    head = ["the global mode from nothing", "clean (10⁶ counts)", "noisy (2·10⁴)"]
    return rows(head, body)


REPORT = "the report's three sextets"


def _found(row: dict) -> str:
    spent = f", {row['cpu']:.2g} s CPU" if row["cpu"] else ""
    return f"{row['successes']} of {row['runs']}{spent}"


def sampling(found: dict) -> str:
    """Effective draws a second, and how many times fewer than ours."""
    head = ["effective draws, least of all unknowns"]
    for label in LABELS:
        head += [f"{label}: per s CPU", "per s wall", "compile"]
    body = []
    for name in found[LABELS[0]]["samplers"]:
        row = [NAMES.get(name, name)]
        for label in LABELS:
            ours, one = (found[label]["samplers"][n] for n in ("specfit", name))
            for rate in ("per_cpu", "per_wall"):
                times = ours[rate] / one[rate]
                less = "" if name == "specfit" else f" (÷ {_number(times)})"
                row.append(_number(one[rate]) + less)
            row.append(f"{one['compile_s']:.0f} s")
        body.append(row)
    worst = max(found[label]["disagreement"] for label in LABELS)
    words = (
        "Means, sds and quantiles of specfit and nutpie differ by at most "
        f"{worst:.1f} Monte Carlo errors (the largest of 140 differences)."
    )
    return f"{rows(head, body)}\n\n{words}"


NAMES = {
    "specfit": "specfit, independent proposals",
    "specfit_nuts": "specfit, whitened NUTS",
    "nutpie": "nutpie",
    "numpyro": "numpyro NUTS, dense mass matrix",
    "pymc": "PyMC NUTS, one core",
    "emcee": "emcee",
    "metropolis": "Metropolis, the report's way",
}


def _number(value: float) -> str:
    """Two significant figures, without an exponent."""
    return f"{float(f'{value:.2g}'):,.10g}"


def evidence(found: dict) -> str:
    """Both log-evidences and what they cost."""
    head = ["log-evidence, noisy", "specfit, search included", "Pareto k̂"]
    head += ["dynesty, each seed", "difference", "CPU"]
    body = []
    for count, row in found.items():
        theirs = zip(row["dynesty"], row["dynesty_sd"], strict=True)
        mean = sum(row["dynesty"]) / len(row["dynesty"])
        times = _number(row["dynesty_cpu"] / row["specfit_cpu"])
        body.append(
            [
                f"{count} sextets",
                f"{row['specfit']:.2f} ± {row['specfit_sd']:.2f}",
                f"{row['pareto_k']:.2f}",
                ", ".join(f"{value:.1f} ± {error:.1f}" for value, error in theirs),
                f"{row['specfit'] - mean:+.1f}",
                f"{_number(row['specfit_cpu'])} s, {_number(row['dynesty_cpu'])} s (× {times})",
            ]
        )
    return rows(head, body)


def batch(found: dict) -> str:
    """CPU seconds a fit."""
    ours = found["specfit_cpu"]
    count = found["spectra"][0]
    weighed = f"{1e3 * found['weighed_cpu']:.2g} ms"
    body = [
        [f"specfit, {count} spectra", f"{1e3 * ours:.2g} ms", ""],
        ["the same, with evidence and Pareto k̂", weighed, ""],
    ]
    for name, key, count in (
        ("scipy leastsq", "scipy_cpu", 1),
        ("lmfit", "lmfit_cpu", 2),
    ):
        spent = found[key]
        times = _number(spent / ours)
        body.append(
            [
                f"{name}, {found['spectra'][count]}",
                f"{1e3 * spent:.2g} ms",
                f"× {times}",
            ]
        )
    return rows(["fits of three sextets, 512 channels", "CPU a fit", ""], body)


def counting(found: dict) -> str:
    """What the evidence says of the number of sites."""
    said = {"right": found["right"], "tied": found["ties"], "left open": found["open"]}
    body = [[str(found["spectra"]), *(str(count) for count in said.values())]]
    return rows(["spectra of one to five sextets", *said], body)


def speed(found: dict) -> str:
    """A density with its gradient, and how many times the thin sextet's."""
    head = ["one log-density with its gradient, 512 channels", "unknowns", "time"]
    head += ["× the thin sextet", "compile"]
    body = [
        [
            name,
            str(row["unknowns"]),
            _micro(row["gradient_s"]),
            _number(row["gradient_s"] / row["thin_s"]),
            f"{row['compile_s']:.1f} s",
        ]
        for name, row in found.items()
    ]
    return rows(head, body)


def _micro(seconds: float) -> str:
    return f"{_number(1e6 * seconds)} µs"


GOAL = 1e-3  # of the depth of the dip: what two programs may differ by


def syncmoss(found: dict) -> str:
    """Where two programs differ, and which of them is off; what a spectrum costs."""
    head = ["largest difference over the depth of the dip", "specfit − SYNCmoss"]
    head += ["SYNCmoss at its finer settings", "specfit off", "SYNCmoss off"]
    keys = ("difference", "finer", "specfit_off", "syncmoss_off")
    body = [
        [name, *(_difference(row[key]) for key in keys)]
        for name, row in found["cases"].items()
    ]
    costs = ["CPU of one spectrum", "SYNCmoss, 64 nodes", "specfit"]
    costs += ["specfit, log-density with gradient"]
    spent = [
        [
            name,
            _micro(row["syncmoss_s"]),
            f"{_micro(row['specfit_s'])} (÷ {_number(row['syncmoss_s'] / row['specfit_s'])})",
            _micro(row["gradient_s"]),
        ]
        for name, row in found["seconds"].items()
    ]
    return f"{rows(head, body)}\n\n{rows(costs, spent)}"


STARTS = {
    "lmfit guess": "lmfit, `guess` of all data",
    "lmfit thirds": "lmfit, `guess` of each third",
    "lmfit peaks": "lmfit, `find_peaks` and `guess`",
    "specfit map": "specfit, no start, the maximum",
    "specfit auto": "specfit, no start, sampled",
}


def diffraction(found: dict) -> str:
    """Failures, seconds, and how honest the errors of the widths are."""
    head = [f"{found['stages']} stages of three Voigt lines", "failed", "CPU", "wall"]
    head += ["rms of (width − truth) / sd", "truths within the 90 % interval"]
    body = []
    for key, name in STARTS.items():
        one = found[key]
        honest = ["–", "–"]
        if one["rms_pull"] is not None:
            honest = [f"{one['rms_pull']:.2f}", f"{one['within_90']:.0%}"]
        seconds = [f"{_number(one[k])} s" for k in ("cpu", "wall")]
        body.append([name, str(one["failures"]), *seconds, *honest])
    return rows(head, body)


def _difference(value: float) -> str:
    """Bold where it is more than two programs may differ by."""
    return f"**{value:.1e}**" if value > GOAL else f"{value:.0e}"


def footing(part: dict) -> str:
    """When and on what a part was measured."""
    machine = part["machine"]
    shared = ", shared with others" if machine["load"] > 0.5 else ""
    versions = ", ".join(
        f"{name} {number}" for name, number in part["versions"].items()
    )
    return (
        f"{machine['date']}, {part['size']} size, {machine['processor']}, "
        f"{machine['cores']} cores{shared}; {versions}."
    )


def kept() -> dict:
    """The results as they are kept."""
    if not RESULTS.exists():
        return {}
    found: dict = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def write(results: dict) -> None:
    """Put the results into their file and the tables into the README."""
    text = json.dumps(results, indent=1, ensure_ascii=False, sort_keys=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    page = README.read_text(encoding="utf-8")
    README.write_text(placed(page, render(results)), encoding="utf-8")


def placed(page: str, tables: str) -> str:
    """The README with `tables` between the marks of their section."""
    begin, end = "<!-- tests/benchmarks -->\n", "<!-- end -->\n"
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    return re.sub(
        pattern, lambda _: begin + tables + end, page, count=1, flags=re.DOTALL
    )
