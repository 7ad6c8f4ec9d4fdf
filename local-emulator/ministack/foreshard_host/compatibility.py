"""Refuses to start on a MiniStack that it was not written for, and says everything that does not fit at once.

The launcher replaces private functions. Another version may have renamed them, or may call them otherwise, which no
look at the names would show: so the version must be exactly this one.
"""

import importlib
import importlib.metadata

MINISTACK_VERSION = "1.5.33"

# Every private name that this package replaces or calls, by module; a test compares it with the sources.
PRIVATE_NAMES: dict[str, tuple[str, ...]] = {
    "ministack.app": ("app",),
    "ministack.core.lambda_runtime": (
        "ProvidedRuntimeError", "ProvidedWorker", "_lock", "_worker_class_for", "_worker_key", "_workers",
        "kill_workers", "release_worker",
    ),
    "ministack.core.responses": (
        "error_response_json", "get_account_id", "get_region", "json_response", "request_scope",
    ),
    "ministack.services.apigateway_v1": ("_lambda_proxy_response",),
    "ministack.services.cloudwatch": ("_dims_key", "_evict_old_metrics", "_metric_bucket"),
    "ministack.services.cloudwatch_logs": (
        "_append_log_events", "_fanout_to_subscription_filters", "_log_groups", "_make_group_arn",
    ),
    "ministack.services.dynamodb": ("_condition_syntax_error", "_tokenize"),
    "ministack.services.lambda_svc": (
        "_delete_provisioned_concurrency", "_emit_lambda_logs", "_emit_lambda_metrics", "_execute_function_dispatch",
        "_execute_function_with_config_scope", "_execution_record_for_config", "_functions",
        "_get_func_record_for_qualifier", "_get_func_record_for_ref", "_inflight_key", "_provided_code_lock",
        "_provided_runtime_code_dir", "_provided_worker_env", "_put_provisioned_concurrency", "_update_alias",
        "executions_in_flight", "release_worker",
    ),
    "ministack.services.stepfunctions": (
        "_ExecutionError", "_add_event", "_apply_input_path", "_apply_output_path", "_call_lambda", "_error_matches",
        "_evaluate_rule", "_execute_choice", "_execute_map", "_execute_parallel", "_execute_pass", "_execute_task",
        "_execute_wait", "_executions", "_fail_execution", "_fail_state_error", "_find_matching_retrier",
        "_invoke_resource", "_invoke_resource_with_timeout", "_invoke_with_callback", "_map_runs",
        "_parse_jsonpath_tokens", "_resolve_lambda_function_ref", "_resolve_params_obj", "_resolve_path_or_ctx",
        "_resolve_state_machine_arn", "_run_map_items", "_run_parallel_branches", "_run_sub_machine",
        "_send_task_failure", "_send_task_heartbeat", "_send_task_success", "_start_execution", "_stop_execution",
        "_task_tokens", "json", "now_iso", "time",
    ),
}  # fmt: skip


def problems() -> list[str]:
    """What does not fit, in words for the person who starts the emulator; empty when all does."""
    try:
        version = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        return [f"ministack is not installed, version {MINISTACK_VERSION} is needed"]
    found = []
    if version != MINISTACK_VERSION:
        found.append(f"ministack is version {version}, exactly {MINISTACK_VERSION} is needed")
    for module_name, names in PRIVATE_NAMES.items():
        try:
            module = importlib.import_module(module_name)
        except ImportError as failure:
            found.append(f"{module_name} cannot be imported: {failure}")
            continue
        found += [f"{module_name} has no `{name}`" for name in names if not hasattr(module, name)]
    return found
