"""Identifiers that a written file has for itself."""

from __future__ import annotations

from dnnbridge.formats.mindspore.writing.helpers import HELPERS

FUNCTION_NAMES = ("hashlib", "math", "ms", "nn", "np", "ops", "self", "weight", *HELPERS)
"""Names that arguments and variables of functions must not take."""

FILE_NAMES = (
    *FUNCTION_NAMES,
    *("Loss", "Net", "Optimizer", "BatchNorm", "Path", "SEED", "EPOCHS_DONE", "BATCHES_DONE"),
    *("EPOCH_SIZE", "CHECKPOINT", "batches", "draw", "epoch_order", "host_values", "load"),
    *("learning_rate", "predict", "train"),
)
"""Names that classes of the file must not take."""

_CELL = """
IGNORE_LIST T_destination add_flags add_flags_recursive apply arguments_key bprop bprop_debug
buffers cast_inputs cell_init_args cell_type cells cells_and_names check_names
check_names_and_refresh_name cls_name compile compile_and_run compile_cache compile_phase
compiled construct create_time enable_backward_hook exist_names exist_objs extend_repr
flatten_weights forward generate_scope get_buffer get_extra_state get_flags get_func_graph_proto
get_inputs get_mixed_precision_type get_parameters get_scope get_sub_cell global_cells
grad_ops_label has_bprop init_parameters_data insert_child_to_cell insert_param_to_cell
is_top_cell jit_config_dict load_state_dict mixed_precision_type name name_cells named_buffers
offload parallel_parameter_merge_net_dict parallel_parameter_name_list param_prefix
parameter_layout_dict parameters_and_names parameters_broadcast_dict parameters_dict phase
phase_cache pipeline_segment pipeline_stage place recompute register_backward_hook
register_backward_pre_hook register_buffer register_forward_hook register_forward_pre_hook
register_load_state_dict_post_hook register_load_state_dict_pre_hook
register_parameter_forward_hook register_saved_tensors_hooks register_state_dict_post_hook
register_state_dict_pre_hook remove_redundant_parameters requires_grad run_construct self
set_boost set_broadcast_flag set_comm_fusion set_data_parallel set_extra_state set_grad
set_inputs set_jit_config set_mixed_precision_type set_param_ps set_train shard state_dict to
to_empty to_float total_instance_count trainable_params training untrainable_params
update_cell_prefix update_cell_type update_parameters_name
"""

CELL_NAMES = tuple(_CELL.split())
"""Attributes that a Cell has already, in one of the supported versions."""
