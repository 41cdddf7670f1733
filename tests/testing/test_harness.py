from typing import ClassVar

import pytest

import tinygsm_kit
from tinygsm_kit import interfaces
from tinygsm_kit.plugins import PluginError, host
from tinygsm_kit.testing.harness import installed, plugin_of


class Shout:
    version: ClassVar[str] = "1"
    Options = interfaces.Options

    def __init__(self, options):
        self.options = options

    def tokens(self):
        return []

    def inject(self, text):
        return text.upper()

    def eject(self, text):
        return text

    def count(self, text):
        return 0


def test_an_installed_plugin_is_found_by_name_and_gone_afterwards():
    with installed(plugin_of("injector", "shout", Shout)):
        assert tinygsm_kit.get("injector", "shout").inject("seven") == "SEVEN"
    with pytest.raises(PluginError, match="unknown injector 'shout'"):
        tinygsm_kit.get("injector", "shout")


def test_a_clash_with_a_built_in_names_both_and_leaves_the_built_in_alone():
    twice = r"'mul_tokens' is registered twice, by tinygsm_kit.inject .* and by under-test"
    with pytest.raises(PluginError, match=twice), installed(plugin_of("injector", "mul_tokens", Shout)):
        pass
    assert host().find("injector", "mul_tokens").plugin == "tinygsm_kit.inject"


def test_a_faulty_plugin_leaves_the_host_as_it_was():
    class Misspelled:
        @tinygsm_kit.hookimpl
        def register_injektors(self, register):
            register("shout", Shout)

    before = dict(host().entries)
    with (
        pytest.raises(PluginError, match=r"plugin wrong: .*register_injektors"),
        installed(Misspelled(), "wrong"),
    ):
        pass
    assert host().entries == before
    with installed(plugin_of("injector", "shout", Shout)):
        with pytest.raises(PluginError), installed(plugin_of("injector", "shout", Shout)):
            pass
        assert tinygsm_kit.get("injector", "shout").inject("still") == "STILL"
