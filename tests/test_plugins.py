"""The plugin host: built-ins and third parties through the same hooks, and messages that name who is at fault."""

import inspect
from collections.abc import Callable, Iterator
from importlib import metadata
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

import tinygsm_kit
from tinygsm_kit import hookimpl, hookspecs, interfaces
from tinygsm_kit.plugins import BUILT_IN, GROUP, HOOKS, Host, PluginError, get


class Shouting:
    """A third party's injector, with no options."""

    Options = interfaces.Options
    version = "3"

    def __init__(self, options: interfaces.Options) -> None:
        self.options = options

    def inject(self, text: str) -> str:
        return text.upper()


def plugin(hook: str, *registrations: tuple[str, object]) -> SimpleNamespace:
    """An object with one hook implementation, as a module would be."""

    def implementation(register: hookspecs.Register) -> None:
        for name, target in registrations:
            register(name, target)  # type: ignore[arg-type]

    return SimpleNamespace(**{hook: hookimpl(implementation, specname=hook if hook in HOOKS.values() else "")})


@pytest.fixture
def host() -> Host:
    """A host of its own, with the built-ins alone."""
    return Host(entry_points=False)


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Entry points as an installed distribution would have them, faked in the process."""

    def install(name: str, load: Callable[[], object], distribution: str | None = "third-party") -> None:
        point = SimpleNamespace(name=name, value=f"{name}:plugin", load=load,
                                dist=SimpleNamespace(name=distribution) if distribution else None)  # fmt: skip

        def entry_points(group: str) -> list[SimpleNamespace]:
            assert group == GROUP
            return [point]

        monkeypatch.setattr(metadata, "entry_points", entry_points)

    return install


# ---------------------------------------------------------------------------------------------------- the hooks


def test_every_hook_is_specified_typed_and_documented() -> None:
    specified = {name for name, value in vars(hookspecs).items() if getattr(value, f"{GROUP}_spec", None) is not None}
    assert specified == set(HOOKS.values())
    for hook in specified:
        function = getattr(hookspecs, hook)
        assert inspect.getdoc(function)
        assert list(inspect.signature(function).parameters) == ["register"]
        assert list(function.__annotations__) == ["register", "return"]


def test_built_ins_have_no_privileged_path(host: Host) -> None:
    assert {entry.plugin for entry in host.entries.values()} <= set(BUILT_IN)
    assert {entry.distribution for entry in host.entries.values()} == {"tinygsm-kit"}
    assert "mul_tokens" in host.names("injector")
    assert "trace" in host.names("converter")
    assert "tinygsm" in host.names("source")


@pytest.mark.parametrize("key", sorted(Host(entry_points=False).entries))
def test_every_built_in_can_be_loaded_and_documents_its_options(host: Host, key: tuple[str, str]) -> None:
    implementation = host.entries[key].load()
    assert issubclass(implementation.Options, interfaces.Options)
    assert isinstance(implementation.version, str)
    assert all(field.description for field in implementation.Options.model_fields.values())


# ---------------------------------------------------------------------------------------------------- third parties


def test_a_third_partys_plugin_is_found_through_its_entry_point(offer: Callable[..., None]) -> None:
    offer("shouting", lambda: plugin("register_injectors", ("shouting", Shouting)))
    found = Host().find("injector", "shouting")
    assert (found.plugin, found.distribution) == ("shouting", "third-party")
    assert found.load() is Shouting


def test_an_entry_point_without_a_distribution_is_named_by_its_value(offer: Callable[..., None]) -> None:
    offer("shouting", lambda: plugin("register_injectors", ("shouting", Shouting)), None)
    assert Host().find("injector", "shouting").distribution == "shouting:plugin"


def test_a_plugin_that_cannot_be_imported_is_named(offer: Callable[..., None]) -> None:
    def broken() -> object:
        raise RuntimeError("no such thing")

    offer("broken", broken)
    with pytest.raises(PluginError, match=r"plugin broken of third-party cannot be imported: no such thing"):
        Host()


def test_one_plugin_may_offer_several_kinds(host: Host) -> None:
    both = SimpleNamespace(
        **vars(plugin("register_injectors", ("a", Shouting))), **vars(plugin("register_rewards", ("b", Shouting)))
    )
    host.add(both, "both", "third-party")
    assert host.names("injector")[-1] == "a"
    assert host.names("reward")[-1] == "b"


def test_the_same_name_in_two_kinds_is_no_clash(host: Host) -> None:
    host.add(plugin("register_rewards", ("mul_tokens", Shouting)), "rewards", "third-party")
    assert host.find("reward", "mul_tokens").load() is Shouting
    assert host.find("injector", "mul_tokens").load() is not Shouting


def test_a_plugin_is_taken_out_with_all_that_it_registered(host: Host) -> None:
    before = dict(host.entries)
    host.add(plugin("register_injectors", ("a", Shouting), ("b", Shouting)), "third", "third-party")
    host.remove("third")
    assert host.entries == before
    host.add(plugin("register_injectors", ("a", Shouting)), "third", "third-party")
    assert host.names("injector").count("a") == 1


# ---------------------------------------------------------------------------------------------------- faults


def test_two_plugins_with_one_name_are_both_named(host: Host) -> None:
    clash = plugin("register_injectors", ("mul_tokens", Shouting))
    message = (
        r"injector 'mul_tokens' is registered twice, by tinygsm_kit.inject \(tinygsm-kit\) and by other \(third-party\): "
        "rename one, or uninstall one"
    )
    with pytest.raises(PluginError, match=message):
        host.add(clash, "other", "third-party")


def test_a_plugin_registered_twice_is_an_error(host: Host) -> None:
    host.add(plugin("register_injectors", ("a", Shouting)), "third", "third-party")
    with pytest.raises(PluginError, match="plugin third: "):
        host.add(plugin("register_injectors", ("b", Shouting)), "third", "third-party")


def test_an_unknown_hook_is_an_error_that_names_hook_and_plugin(host: Host) -> None:
    def register_sauces(register: hookspecs.Register) -> None:
        """A hook that does not exist."""

    with pytest.raises(PluginError, match=r"plugin saucy: .*register_sauces"):
        host.add(SimpleNamespace(register_sauces=hookimpl(register_sauces)), "saucy", "third-party")


def test_a_hook_with_an_unknown_argument_is_an_error(host: Host) -> None:
    def register_injectors(registry: object) -> None:
        """Its argument is called otherwise."""

    with pytest.raises(PluginError, match=r"(?s)plugin odd: .*registry"):
        host.add(SimpleNamespace(register_injectors=hookimpl(register_injectors)), "odd", "third-party")


def test_functions_that_are_not_marked_are_not_hooks(host: Host) -> None:
    before = dict(host.entries)
    host.add(SimpleNamespace(register_injectors=lambda register: register("a", Shouting)), "unmarked", "third-party")
    assert host.entries == before


@pytest.mark.parametrize(
    ("target", "message"),
    [("no_such_module:Thing", r"injector 'a' of third: cannot import 'no_such_module:Thing': No module named 'no_such_module'"),
     ("tinygsm_kit.records:Thing", r"cannot import 'tinygsm_kit.records:Thing': .*has no attribute 'Thing'"),
     (object, r"injector 'a' of third has no 'Options': see interfaces.py"),
     (type("Halfway", (), {"Options": interfaces.Options}), r"injector 'a' of third has no 'version': see interfaces.py")],
)  # fmt: skip
def test_an_implementation_that_is_not_as_owed_is_named_when_it_is_used(host: Host, target: object, message: str) -> None:
    host.add(plugin("register_injectors", ("a", target)), "third", "third-party")
    with pytest.raises(PluginError, match=message):
        host.find("injector", "a").load()


# ---------------------------------------------------------------------------------------------------- lookup


def test_a_misspelled_name_gets_the_nearest_one(host: Host) -> None:
    with pytest.raises(PluginError, match=r"unknown injector 'mul_token': did you mean 'mul_tokens'\?"):
        host.find("injector", "mul_token")
    with pytest.raises(PluginError, match=r"unknown injector 'zebra': there are: mul_tokens"):
        host.find("injector", "zebra")
    with pytest.raises(PluginError, match=r"unknown kind of plugin 'injectors': expected one of source, converter, injector"):
        host.find("injectors", "mul_tokens")


def test_get_returns_a_ready_instance() -> None:
    assert tinygsm_kit.get("injector", "mul_tokens").inject("7 × 8 = 56") == "<MUL_7_8_56>"
    assert get("injector", "mul_tokens", low=8).tokens() == ["<MUL_8_8_64>", "<MUL_8_9_72>", "<MUL_9_9_81>"]


def test_get_refuses_options_that_do_not_fit() -> None:
    with pytest.raises(ValidationError, match="lwo"):
        get("injector", "mul_tokens", lwo=3)
    with pytest.raises(ValidationError, match="low"):
        get("injector", "mul_tokens", low="three")


def test_importing_the_host_is_light() -> None:
    """`--help` and `plugins` must answer at once, so no room may import torch and the like to register itself."""
    import subprocess
    import sys

    heavy = "torch transformers trl datasets lm_eval pyarrow scipy matplotlib openai"
    code = (
        "import sys, tinygsm_kit.plugins as p; h = p.Host(entry_points=False); [e.load() for e in h.entries.values()]; "
        f"print(' '.join(m for m in {heavy.split()!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.fixture(autouse=True)
def _one_host_a_process() -> Iterator[None]:
    """No test here may change the process-wide host."""
    from tinygsm_kit.plugins import host

    before = dict(host().entries)
    yield
    assert host().entries == before
