"""Where problems come from, how they are sampled, and what is kept out."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_sources(register: Register) -> None:
    """The built-in sources."""
    register("tinygsm", "tinygsm_kit.sources.tinygsm:TinyGSM")
    register("synthetic", "tinygsm_kit.sources.synthetic:Synthetic")
    register("drills", "tinygsm_kit.sources.drills:Drills")
    register("mixture", "tinygsm_kit.sources.mixture:Mixture")
