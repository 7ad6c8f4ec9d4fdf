"""Starts no more threads for a map than it has items; LocalStack starts `MaxConcurrency`, which may be ten thousand."""

from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration.inline_iteration_component import (  # noqa: E501
    InlineIterationComponent,
)

_STARTED = "foreshard_workers"


def install() -> None:
    """Take the place of what starts a worker, of inline and of distributed maps."""
    InlineIterationComponent._launch_worker = _limited(InlineIterationComponent._launch_worker)


def _limited(plain):
    def launch_worker(self, env, eval_input, job_pool):
        started = getattr(job_pool, _STARTED, 0)
        if started >= job_pool._jobs_number:
            return None
        setattr(job_pool, _STARTED, started + 1)
        return plain(self, env, eval_input, job_pool)

    return launch_worker
