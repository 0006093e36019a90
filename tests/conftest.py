"""Every test: isolated from the user, the network and other tests; `rig` is an AWS account to ask."""

pytest_plugins = ["tests.rig.fixtures"]
