"""Fails a state whose path leads nowhere, as AWS does; MiniStack goes on with null and hides the mistake."""

import json

from ministack.services import stepfunctions

# Fields that name one place in the input of a state.
_STATE_PATHS = ("InputPath", "ItemsPath", "SecondsPath", "TimestampPath")


def install() -> None:
    """Take the place of parameters, choice rules, and the states whose fields are paths."""
    stepfunctions._resolve_params_obj = _strict_parameters(stepfunctions._resolve_params_obj)
    stepfunctions._evaluate_rule = _strict_rule(stepfunctions._evaluate_rule)
    stepfunctions._apply_output_path = _strict_output(stepfunctions._apply_output_path)
    for name in (
        "_execute_pass",
        "_execute_choice",
        "_execute_wait",
        "_execute_task",
        "_execute_map",
        "_execute_parallel",
    ):
        setattr(stepfunctions, name, _strict_state(getattr(stepfunctions, name)))


def leads_somewhere(path: str, data) -> bool:
    """Whether the path finds a value, null included. Context paths, wildcards and functions are not judged."""
    if not path.startswith("$") or path.startswith("$$"):
        return True
    tokens = stepfunctions._parse_jsonpath_tokens(path)
    if tokens is None or any(kind == "wildcard" for kind, _ in tokens):
        return tokens is not None
    for kind, key in tokens:
        in_object = kind == "field" and isinstance(data, dict) and key in data
        in_list = kind == "index" and isinstance(data, list) and key < len(data)
        if not in_object and not in_list:
            return False
        data = data[key]
    return True


def _check(path, data, field: str) -> None:
    if isinstance(path, str) and not leads_somewhere(path, data):
        shown = json.dumps(data)[:500]
        raise stepfunctions._ExecutionError(
            "States.Runtime",
            f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{shown}'",
        )


def _strict_parameters(plain):
    def resolve_parameters(template, data, ctx=None):
        for field, path in template.items() if isinstance(template, dict) else []:
            if field.endswith(".$"):
                _check(path, data, field)
        return plain(template, data, ctx)

    return resolve_parameters


def _strict_rule(plain):
    def evaluate_rule(rule: dict, data, ctx=None):
        if "IsPresent" in rule and not rule.get("Variable", "$$").startswith("$$"):
            return leads_somewhere(rule["Variable"], data) == rule["IsPresent"]
        for field, path in rule.items():
            if field == "Variable" or field.endswith("Path"):
                _check(path, data, field)
        return plain(rule, data, ctx)

    return evaluate_rule


def _strict_output(plain):
    def apply_output_path(state: dict, data, ctx=None):
        _check(state.get("OutputPath"), data, "OutputPath")
        return plain(state, data, ctx)

    return apply_output_path


def _strict_state(plain):
    def execute(state: dict, raw_input, *context):
        taken = raw_input
        for field in _STATE_PATHS:
            _check(state.get(field), taken, field)
            if field == "InputPath" and state.get(field):
                taken = stepfunctions._resolve_path_or_ctx(state[field], raw_input, context[-1])
        return plain(state, raw_input, *context)

    return execute
