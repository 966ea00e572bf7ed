"""Every name that dnnbridge shares with Keras: equal numbers, or a reason why not."""

from oracles.keras_names.end_rows import END_ROWS
from oracles.keras_names.function_rows import FUNCTION_ROWS
from oracles.keras_names.layer_rows import LAYER_ROWS
from oracles.keras_names.loss_rows import LOSS_ROWS
from oracles.keras_names.metric_rows import METRIC_ROWS
from oracles.keras_names.op_rows import OP_ROWS
from oracles.keras_names.optimizer_rows import OPTIMIZER_ROWS
from oracles.keras_names.row import Row
from oracles.keras_names.weight_rows import WEIGHT_ROWS

GROUPS = (
    *(LAYER_ROWS, FUNCTION_ROWS, WEIGHT_ROWS, LOSS_ROWS, END_ROWS),
    *(METRIC_ROWS, OPTIMIZER_ROWS, OP_ROWS),
)

ROWS: dict[str, Row] = {row.id: row for rows in GROUPS for row in rows}
