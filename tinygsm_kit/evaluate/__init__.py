"""Evaluation through lm-eval: the driver, the tasks, the metrics, the probe suites."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_probe_suites(register: Register) -> None:
    """The built-in probe suites; the first three are lm-eval's group `mul_probes`, all together `tgsm_probes`."""
    for name in ("mul_table", "mul_multidigit", "addition", "subtraction", "division", "mul_commuted", "forgetting"):
        register(name, f"tinygsm_kit.evaluate.probes:{name.title().replace('_', '')}")
