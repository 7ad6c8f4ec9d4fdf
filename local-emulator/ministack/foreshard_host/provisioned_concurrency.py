"""Makes PutProvisionedConcurrencyConfig start environments and Delete release them; MiniStack keeps the number only."""

import contextvars
import logging
import threading
import time

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, request_scope
from ministack.services import lambda_svc

from foreshard_host.environment import Environment
from foreshard_host.environment_pool import EnvironmentPool

logger = logging.getLogger("foreshard.provisioned")

# How long a dead environment, or one without its function, is left alone.
UPKEEP_S = 2.0


class ProvisionedConcurrency:
    """The environments that were asked for, by function and qualifier."""

    def __init__(self, pool: EnvironmentPool):
        self._pool = pool
        self._environments: dict[tuple, list[Environment]] = {}
        self._wanted: dict[tuple, int] = {}
        self._lock = threading.Lock()  # of the two dictionaries
        self._scaling = threading.Lock()  # one change at a time
        self._put = lambda_svc._put_provisioned_concurrency
        self._delete = lambda_svc._delete_provisioned_concurrency
        self._update_alias = lambda_svc._update_alias

    def install(self) -> None:
        """Take the place of MiniStack's handlers."""
        lambda_svc._put_provisioned_concurrency = self.put
        lambda_svc._delete_provisioned_concurrency = self.delete
        lambda_svc._update_alias = self.update_alias

    def put(self, name: str, qualifier: str, data: dict):
        """202 with Status IN_PROGRESS; READY when all have started, FAILED when one cannot."""
        if qualifier in (None, "", "$LATEST"):
            return error_response_json(
                "InvalidParameterValueException",
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
                400,
            )
        if int(data.get("ProvisionedConcurrentExecutions") or 0) < 1:
            return error_response_json(
                "ValidationException",
                "Value at 'provisionedConcurrentExecutions' must be greater than or equal to 1",
                400,
            )
        answer = self._put(name, qualifier, data)
        if answer[0] != 202:
            return answer
        return json_response(dict(self._begin(name, qualifier)), 202)

    def delete(self, name: str, qualifier: str):
        """The environments end as soon as they serve nothing."""
        answer = self._delete(name, qualifier)
        if answer[0] == 204:
            self._change(_key(name, qualifier), name, qualifier, 0, None)
        return answer

    def update_alias(self, name: str, alias: str, data: dict):
        """The environments follow the alias to its new version."""
        answer = self._update_alias(name, alias, data)
        if answer[0] == 200 and "FunctionVersion" in data and _config_of(name, alias):
            self._begin(name, alias)
        return answer

    def allocated(self, environment: Environment) -> list[Environment]:
        """The provisioned environments of the version that this one belongs to."""
        with self._lock:
            return [
                other
                for others in self._environments.values()
                for other in others
                if other.func_name == environment.func_name
                and other.config.get("Version") == environment.config.get("Version")
            ]

    def by_qualifier(self) -> dict[tuple, list[Environment]]:
        """The environments by account, region, function and qualifier."""
        with self._lock:
            return {key: list(environments) for key, environments in self._environments.items()}

    def start_upkeep(self) -> None:
        """From now on, what a stack's deletion forgot is released, and what has died is replaced, as on AWS."""
        threading.Thread(target=self._keep_up, name="provisioned-upkeep", daemon=True).start()

    def _keep_up(self) -> None:
        while True:
            time.sleep(UPKEEP_S)
            for (account, region, name, qualifier), environments in self.by_qualifier().items():
                with request_scope(account, region):
                    if name not in lambda_svc._functions or _config_of(name, qualifier) is None:
                        self._change(_key(name, qualifier), name, qualifier, 0, None)
                        continue
                for environment in environments:
                    self._pool.revive(environment)

    def _begin(self, name: str, qualifier: str) -> dict:
        config = _config_of(name, qualifier)
        config.update(
            Status="IN_PROGRESS", AllocatedProvisionedConcurrentExecutions=0, AvailableProvisionedConcurrentExecutions=0
        )
        wanted = int(config["RequestedProvisionedConcurrentExecutions"])
        self._change(_key(name, qualifier), name, qualifier, wanted, config)
        return config

    def _change(self, key: tuple, name: str, qualifier: str, wanted: int, config: dict | None) -> None:
        with self._lock:
            self._wanted[key] = wanted
        # MiniStack keeps account and region of the request in context variables.
        run = contextvars.copy_context().run
        threading.Thread(
            target=run, args=(self._scale, key, name, qualifier, config), name="provisioned", daemon=True
        ).start()

    def _scale(self, key: tuple, name: str, qualifier: str, config: dict | None) -> None:
        with self._scaling:
            record, _ = lambda_svc._get_func_record_for_qualifier(name, qualifier)
            version = record and record["config"].get("Version")
            kept = [
                one for one in self._environments.get(key, [])
                if self._pool.contains(one) and one.config.get("Version") == version
            ]  # fmt: skip
            surplus = [one for one in self._environments.get(key, []) if one not in kept]
            wanted = self._wanted.get(key, 0)
            surplus += kept[wanted:]
            with self._lock:
                self._environments[key] = kept = kept[:wanted]
                if not wanted:
                    del self._environments[key]
            for one in surplus:
                one.provisioned = False
                self._pool.remove(one)
            if record is not None and config is not None:
                self._fill(key, kept, record, config)

    def _fill(self, key: tuple, environments: list[Environment], record: dict, config: dict) -> None:
        name, wanted = record["config"]["FunctionName"], self._wanted[key]
        try:
            while len(environments) < wanted and self._wanted[key] == wanted:
                environments.append(self._pool.add_provisioned(name, record["config"], record["code_zip"]))
                config["AllocatedProvisionedConcurrentExecutions"] = len(environments)
                config["AvailableProvisionedConcurrentExecutions"] = len(environments)
        except Exception as failure:  # whatever a bootstrap may do wrong, the caller sees it as a status
            logger.warning("%s: a provisioned environment did not start: %s", name, failure)
            config.update(Status="FAILED", StatusReason="FUNCTION_ERROR_INIT_FAILURE")
            return
        config.update(
            Status="READY",
            AllocatedProvisionedConcurrentExecutions=len(environments),
            AvailableProvisionedConcurrentExecutions=len(environments),
        )


def _key(name: str, qualifier: str) -> tuple:
    return get_account_id(), get_region(), name, qualifier


def _config_of(name: str, qualifier: str) -> dict | None:
    return lambda_svc._functions[name].get("provisioned_concurrency", {}).get(qualifier)
