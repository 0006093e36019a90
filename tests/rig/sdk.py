"""What the SDK would do anew for every session and client, done once in a process: half the time of reading an account."""

import copy
import inspect
import threading
from functools import cache
from typing import Any

import botocore.client
import botocore.compat
import botocore.hooks
import botocore.loaders
import botocore.parsers
import botocore.session
import botocore.utils

_lock = threading.Lock()
_classes: dict[str, type] = {}
_loader = cache(botocore.loaders.create_loader)
_accepts_kwargs = botocore.compat.accepts_kwargs
_timestamp = cache(botocore.utils.parse_timestamp)
_aliases: dict[str, str] = {}
_alias_event_name = botocore.hooks.EventAliaser._alias_event_name
_create_class = botocore.client.ClientCreator._create_client_class
_emitters: list[botocore.hooks.HierarchicalEmitter] = []
_register_all = botocore.session.Session._register_builtin_handlers


def share_models() -> None:
    """Let all sessions of this process share what they read and make: models, classes of clients, signatures of handlers."""
    botocore.session.create_loader = _loader
    botocore.client.ClientCreator._create_client_class = _client_class
    botocore.session.Session._register_builtin_handlers = _register
    botocore.hooks.accepts_kwargs = _takes_any_keyword
    botocore.hooks.EventAliaser._alias_event_name = _alias
    botocore.parsers.DEFAULT_TIMESTAMP_PARSER = _timestamp


def _client_class(creator: Any, service_name: str, service_model: Any) -> type:
    with _lock:
        if service_name not in _classes:
            _classes[service_name] = _create_class(creator, service_name, service_model)
        return _classes[service_name]


def _register(session: Any, events: Any) -> None:
    """Give a new session botocore's own 200 handlers: those that the first one registered, one by one."""
    with _lock:
        if not _emitters:
            _register_all(session, events)
            _emitters.append(copy.copy(events._emitter))
    events._emitter.__dict__.update(copy.copy(_emitters[0]).__dict__)


def _alias(hooks: Any, event_name: str) -> str:
    if event_name not in _aliases:
        _aliases[event_name] = _alias_event_name(hooks, event_name)
    return _aliases[event_name]


def _takes_any_keyword(handler: Any) -> bool:
    """Return whether a handler takes any keyword, without a cache: it would keep clients alive, and their connections."""
    code = getattr(handler, "__code__", None)
    return bool(_accepts_kwargs(handler) if code is None else code.co_flags & inspect.CO_VARKEYWORDS)
