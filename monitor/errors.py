"""What can be wrong with the world around Pulsewarden, as exceptions.

Bad *data* is never an exception here: it is a value with a reason (a dead letter). These are for a broken environment,
and the one sentence of each says how to mend it; the command line prints it and ends with exit status 2::

    PulsewardenError
    ├── SettingsInvalid        a PULSEWARDEN_ variable is unknown or out of range
    ├── StackError             the embedded Kafka and Valkey
    │   ├── PieceMissing       a package or binary that the stack needs is not installed
    │   ├── JarRefused         a downloaded jar is not the one that kafka.lock names
    │   ├── JarsUnreachable    jars are missing or damaged and cannot be fetched
    │   ├── StackRunning       another process already runs a stack on this state folder
    │   ├── StateFolderUnusable  the state folder cannot be made, written or used
    │   ├── PortTaken          a port that was asked for is in use
    │   └── ServerFailed       a server ended, or did not answer in time
    ├── BrokerUnreachable      no Kafka answers at the configured address
    ├── RedisUnreachable       no Redis answers at the configured address
    ├── ProjectionRefused      Redis refuses a rebuild, or another one runs
    ├── WorkerNameTaken        another worker of this name runs
    ├── TopicsDiffer           topics are missing or differ from the table
    ├── ReplayDiffers          the log and the cuts in it do not fit together
    ├── StoreUnreachable       the place of checkpoints or journal cannot be written and read
    ├── CheckpointsDiffer      the checkpoints there are of another number of partitions
    └── JournalUnusable        the journal is empty or damaged, or holds nothing of what was asked for
"""


class PulsewardenError(Exception):
    """A broken environment; ``str(error)`` is one sentence that says what to do."""


class SettingsInvalid(PulsewardenError):
    """A setting is unknown, of the wrong type or out of range."""


class StackError(PulsewardenError):
    """Something about the embedded Kafka and Valkey."""


class PieceMissing(StackError):
    """A package or binary of the embedded stack is not installed."""


class JarRefused(StackError):
    """A fetched jar has another sha256 than kafka.lock says; it was not kept."""


class JarsUnreachable(StackError):
    """Jars are missing or damaged, and fetching them failed."""


class StackRunning(StackError):
    """A stack already runs on this state folder."""


class StateFolderUnusable(StackError):
    """The state folder is a file, read-only, full, another user's, or has a name that cannot be used."""


class PortTaken(StackError):
    """A port that was asked for by number is in use."""


class ServerFailed(StackError):
    """An embedded server ended or did not answer in time."""


class BrokerUnreachable(PulsewardenError):
    """No Kafka answers at the configured bootstrap servers."""


class RedisUnreachable(PulsewardenError):
    """No Redis answers at the configured address."""


class ProjectionRefused(PulsewardenError):
    """Redis refuses to be rebuilt, or another rebuild runs; readers still see what they saw."""


class WorkerNameTaken(PulsewardenError):
    """Another worker has this one's name: the two would be taken for one in claims, status and group."""


class TopicsDiffer(PulsewardenError):
    """Topics are missing, or their partitions or configuration differ from the table."""


class ReplayDiffers(PulsewardenError):
    """A cut's sequence or digest does not follow from the log before it."""


class StoreUnreachable(PulsewardenError):
    """The folder or object store of checkpoints or journal cannot be written and read."""


class CheckpointsDiffer(PulsewardenError):
    """The checkpoints were written with another number of partitions: they hold other wearers."""


class JournalUnusable(PulsewardenError):
    """The journal is empty or damaged, or holds nothing of the wearer, table or time that was asked for."""
