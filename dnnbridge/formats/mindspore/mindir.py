"""A run as a MindIR file, made from the plain MindSpore model by MindSpore."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dnnbridge.base.files import write_atomically
from dnnbridge.base.packages import framework
from dnnbridge.errors import ConversionError
from dnnbridge.formats.mindspore.writing.run import save_mindspore
from dnnbridge.formats.source.importing import import_written
from dnnbridge.formats.trained import Trained


def save_mindir(run: Trained, path: Path) -> Path:
    """Write a MindIR file of the prediction, for any number of examples.

    Its inputs and outputs are in the order of the model.

    Raises:
        ConversionError: something of the experiment cannot be written, or MindSpore cannot export
            it.
        PackageNotInstalledError: MindSpore is missing.
    """
    ms = framework("mindspore", "a MindIR file")
    # MindSpore makes the folder that it writes into unreadable for others, and the file read-only.
    with tempfile.TemporaryDirectory() as folder:
        module = import_written(save_mindspore(run, Path(folder) / "model.py"))
        net, _ = module.load()
        net.set_train(False)
        types = run.experiment.model.input_types.values()
        inputs = [ms.Tensor(shape=t.shape, dtype=getattr(ms, t.dtype)) for t in types]
        target = Path(folder) / "made" / "model.mindir"
        try:
            ms.export(net, *inputs, file_name=str(target.with_suffix("")), file_format="MINDIR")
        except (RuntimeError, ValueError, TypeError) as error:
            raise ConversionError(
                "MindSpore cannot export the model", where=path.name, got=str(error)[:300]
            ) from error
        finally:
            sys.modules.pop(module.__name__, None)
        made = [file.name for file in target.parent.iterdir()]
        if made != [target.name]:
            raise ConversionError(
                "MindSpore keeps the weights of so large a model in other files",
                where=path.name,
                got=", ".join(made),
                hint='Write run.export("model.py", format="python-mindspore").',
            )
        write_atomically(path, target.read_bytes())
    return path
