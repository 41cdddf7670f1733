"""`python -m tinygsm_kit.testing`: the mock server as a process of its own."""

from tinygsm_kit.testing.server import main

main()
