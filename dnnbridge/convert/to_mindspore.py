"""`to_mindspore`: hand a run to MindSpore, with weights, optimizer slots and step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from dnnbridge.base.calling import explained
from dnnbridge.base.packages import framework
from dnnbridge.convert.run_argument import check_run
from dnnbridge.convert.written_module import import_exported
from dnnbridge.training.run import Run


@dataclass(frozen=True)
class MindSporeModel:
    """A run in MindSpore: made by `to_mindspore`.

    Attributes:
        net: the model, an `nn.Cell`; it takes the inputs as tensors.
        loss: an `nn.Cell` that takes inputs and labels and returns the loss of the batch.
        optimizer: an `nn.Optimizer` where MindSpore has one that makes the same updates, else a
            Cell that makes them; it goes on after the steps of the run.
        module: the module of these classes, which has `train` and `predict` for arrays.
    """

    net: Any
    loss: Any
    optimizer: Any
    module: ModuleType

    def train(self, *arrays: Any, **options: Any) -> list[float]:
        """Train on inputs and labels, in the order of the model; return the loss of each batch.

        Args:
            arrays: one array for each input, then one for the labels of each loss.
            options: epochs, batch_size, shuffle.
        """
        train: Callable[..., list[float]] = self.module.train
        return train(self.net, self.optimizer, *arrays, **options)

    def predict(self, *arrays: Any, **options: Any) -> Any:
        """Return the predictions for arrays of inputs.

        Args:
            arrays: one array for each input.
            options: batch_size.
        """
        return self.module.predict(self.net, *arrays, **options)


@explained()
def to_mindspore(run: Run) -> MindSporeModel:
    """Return a run as plain MindSpore objects, with weights, optimizer slots and step.

    They are those of the file that `run.export(path, format="python-mindspore")` writes, and train
    on along the same trajectory. MindSpore must be installed; it is not needed for the file.

    Raises:
        ConversionError: something of the experiment cannot be written. The message names all of it.
        PackageNotInstalledError: MindSpore is missing.
    """
    check_run(run, "to_mindspore")
    other = 'write run.export("model.py", format="python-mindspore").'
    framework("mindspore", "to_mindspore", other)
    module = import_exported(run, "python-mindspore")
    net, optimizer = module.load()
    return MindSporeModel(net, module.Loss(net), optimizer, module)
