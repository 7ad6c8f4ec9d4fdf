"""Puts our environments into MiniStack's pool, and lets one that is replaced while it serves finish, as on AWS."""

import functools
import logging

from foreshard_native.environment_record import EnvironmentRecord
from foreshard_native.memory_limit import MemoryLimit
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from foreshard_host.environment import Environment

logger = logging.getLogger("foreshard.pool")


class EnvironmentPool:
    """The factory of environments and their two ends: now, or when the invocation is over."""

    def __init__(self, record: EnvironmentRecord):
        self._create = functools.partial(Environment, record, MemoryLimit())
        self._choose_class = lambda_runtime._worker_class_for
        self._end_now = lambda_runtime.kill_workers

    def install(self) -> None:
        """Take the place of the pool's class and of its ends."""
        lambda_runtime._worker_class_for = self._class_for
        lambda_runtime.kill_workers = self.end
        lambda_runtime.release_worker = lambda_svc.release_worker = self.release

    def add_provisioned(self, name: str, config: dict, code_zip: bytes) -> Environment:
        """A started environment that invocations of this version take first; the pool never reaps it.

        # Errors
        As `Environment._spawn`; nothing is left in the pool then.
        """
        environment = self._create(name, config, code_zip)
        environment.provisioned = environment.in_use = True
        entries = self._entries(name, config)
        with lambda_runtime._lock:
            entries.insert(0, environment)  # the pool leases the first that is free
        try:
            environment._spawn()
        except BaseException:
            self.remove(environment)
            raise
        finally:
            self.release(environment)
        return environment

    def revive(self, environment: Environment) -> None:
        """Start it again if its bootstrap has died while it served nothing."""
        with lambda_runtime._lock:
            if environment.in_use or environment.is_running():
                return
            environment.in_use = True
        try:
            environment._spawn()
        except Exception as failure:  # it is tried again, by the next invocation at the latest
            logger.warning("%s: an environment that died did not start again: %s", environment.func_name, failure)
        finally:
            self.release(environment)

    def contains(self, environment: Environment) -> bool:
        """False once MiniStack dropped it, because its function was deleted or changed."""
        with lambda_runtime._lock:
            return environment in lambda_runtime._workers.get(self._key(environment), [])

    def remove(self, environment: Environment) -> None:
        """Take it out of the pool and end it when it is free."""
        with lambda_runtime._lock:
            entries = lambda_runtime._workers.get(self._key(environment), [])
            if environment in entries:
                entries.remove(environment)
        self.end([environment])

    def end(self, environments: list) -> None:
        """Kill those that serve nothing; the others die when their invocation is over."""
        with lambda_runtime._lock:
            serving = [one for one in environments if isinstance(one, Environment) and one.in_use]
            for one in serving:
                one.retired = True
        self._end_now([one for one in environments if one not in serving])

    def release(self, environment) -> None:
        """The invocation is over."""
        if environment is None:
            return
        with lambda_runtime._lock:
            environment.in_use = False
            retired = getattr(environment, "retired", False)
        if retired:
            self._end_now([environment])

    def _class_for(self, config: dict):
        chosen = self._choose_class(config)
        return self._create if chosen is lambda_runtime.ProvidedWorker else chosen

    def _entries(self, name: str, config: dict) -> list:
        key = lambda_runtime._worker_key(name, config, config.get("Version", "$LATEST"))
        with lambda_runtime._lock:
            return lambda_runtime._workers.setdefault(key, [])

    @staticmethod
    def _key(environment: Environment) -> str:
        version = environment.config.get("Version", "$LATEST")
        return lambda_runtime._worker_key(environment.func_name, environment.config, version)
