"""What can go wrong around a model, each with one sentence that says how to mend it."""


class ModelError(Exception):
    """A model, its bundle or its training data is not what it should be."""


class BundleDamaged(ModelError):
    """A bundle's file is missing, altered or not ours; the sentence names the file."""


class DataUnusable(ModelError):
    """A journal folder holds too little, or something else than a journal."""


class RegistryRefused(ModelError):
    """The registry was asked for a version that it does not have, or to overwrite one."""


class PlaceUnusable(ModelError):
    """A folder or URL that should hold files cannot be opened or read."""
