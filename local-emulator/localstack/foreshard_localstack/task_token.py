"""Takes one answer for each task token, as Step Functions does; LocalStack takes any number while the execution runs."""

import threading

from localstack.services.stepfunctions.asl.eval.callback.callback import CallbackConsumerLeft, CallbackPoolManager

_answering = threading.Lock()


def install() -> None:
    """Take the place of what hands an answer to the state that waits for it."""
    CallbackPoolManager.notify = _once(CallbackPoolManager.notify)


def _once(plain):
    def notify(self, callback_id, outcome):
        with _answering:
            if not plain(self, callback_id, outcome):
                return False
            # LocalStack's own word for a state that no longer waits: the next answer is refused with TaskDoesNotExist.
            self.get(callback_id).report(CallbackConsumerLeft())
            return True

    return notify
