"""The corrected moto: its services in place of moto's own, as one application for every service."""

import re
import string
from functools import cache
from typing import Any

import moto.backends
import moto.config.urls
import moto.core.responses
import moto.eks.urls
import moto.iam.models
import moto.iam.urls
import moto.moto_server.werkzeug_app
import moto.sts.urls
from flask import Flask
from moto.core.utils import convert_to_flask_response, method_names_from_class
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app

from tests.rig.config import CorrectedConfig
from tests.rig.eks import PATHS, CorrectedEks
from tests.rig.iam import CorrectedIam, policies_of_new_backend
from tests.rig.isolation import account_of
from tests.rig.others import CorrectedSts, SmallEc2
from tests.rig.world import World, world


def correct_moto() -> None:
    """Put the corrected services in moto's place, for this process."""
    moto.iam.urls.url_paths = {"{0}/$": CorrectedIam.dispatch}
    moto.sts.urls.url_paths = {"{0}/$": CorrectedSts.dispatch}
    moto.config.urls.url_paths = {"{0}/$": CorrectedConfig.dispatch}
    routes = dict.fromkeys([*moto.eks.urls.url_paths, *("{0}" + path + "$" for path in PATHS)], CorrectedEks.dispatch)
    moto.eks.urls.url_paths = routes
    models: Any = moto.iam.models
    models.get_account_id_from = account_of
    models.IAMBackend._init_aws_policies = lambda backend: []
    models.IAMBackend._init_managed_policies = policies_of_new_backend
    # moto would look for both again at each call: a seventh of the time that reading an account takes.
    services = frozenset(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: services
    responses: Any = moto.core.responses
    responses.method_names_from_class = cache(method_names_from_class)
    # No browser asks.
    moto.moto_server.werkzeug_app.DISABLE_GLOBAL_CORS = True
    # moto draws the 1,400 characters of a cluster's certificate one by one, 8 ms for each cluster that is seeded.
    mock_random.get_random_string = _random_string


def _random_string(length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    letters = string.ascii_letters + (string.digits if include_digits else "")
    text = "".join(mock_random.choices(letters, k=length))
    return text.lower() if lower_case else text


def forget_everything() -> None:
    """Empty every account and put the world back to how it behaves by default, in place."""
    # Reading the corpus again takes half a second, so a catalogue that nobody changed stays.
    fresh = World(catalogues={name: catalogue for name, catalogue in world.catalogues.items() if not catalogue.changed})
    for field in World.__slots__:
        setattr(world, field, getattr(fresh, field))
    # After the world, since a new IAM backend takes its AWS policies from there.
    for name in ("iam", "eks", "sts", "config"):
        moto.backends.get_backend(name).reset()


class CorrectedAws(DomainDispatcherApplication):
    """moto's dispatcher, with the corrected services, and the small EC2 in place of moto's."""

    def __init__(self) -> None:
        correct_moto()
        super().__init__(create_backend_app)
        self._ec2 = Flask("ec2")
        self._ec2.request_class = BackendRequest
        respond = convert_to_flask_response(SmallEc2.dispatch)
        self._ec2.add_url_rule("/", endpoint="ec2", methods=["GET", "POST"], view_func=respond)

    def get_application(self, environ: dict[str, Any]) -> Flask:
        if re.search(r"Credential=[^,]*/ec2/aws4_request", environ.get("HTTP_AUTHORIZATION", "")):
            return self._ec2
        application: Flask = super().get_application(environ)
        return application
