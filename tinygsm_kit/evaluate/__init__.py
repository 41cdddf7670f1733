"""Evaluation through lm-eval: the driver, the metrics, the probe suites."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_probe_suites(register: Register) -> None:
    """The built-in probe suites; together the first three are lm-eval's group `mul_probes`."""
    for name in ("mul_table", "mul_multidigit", "addition"):
        register(name, f"tinygsm_kit.evaluate.probes:{name.title().replace('_', '')}")
