"""What can be wrong with the world around the simulators; ``str(error)`` is one sentence that says how to mend it."""


class SimulatorError(Exception):
    """The simulator cannot run as asked."""


class OptionRefused(SimulatorError):
    """An option of the command line, or an argument of the same name, makes no sense."""


class ScenarioRefused(SimulatorError):
    """A scenario is unknown or its file is wrong."""


class BrokerUnreachable(SimulatorError):
    """No Kafka answers at the given address."""


class TopicsMissing(SimulatorError):
    """The topics that are to be written do not exist."""


class RecordingsMissing(SimulatorError):
    """The folder with real recordings is not there, or not complete."""
