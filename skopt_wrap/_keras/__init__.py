"""The one door to Keras and TensorFlow.

Nothing here imports them before a function is called. Everything that touches a private name
of either library lives in this package, so that a new release is met in one place.
"""

from ._affine import fold_affine
from ._backend import keras_model_problem, load_keras, load_tensorflow, plain_executor, traced
from ._compiled import built_metrics, compile_arguments, learning_rate_schedule, metric_function
from ._custom_objects import CustomObjects, copy_network, copy_operation, dump_objects
from ._front import split_columns
from ._functional import FunctionalOptimizer, graph_nodes, slot_names, why_not_functional
from ._graph import clone_graph_behind, copy_layer, copy_variables, layer_calls, rebuild
from ._inspect import (
    all_finite,
    compile_settings,
    copy_optimizer,
    forget_key,
    from_logits,
    functional_class,
    is_adapted,
    loss_classes,
    metric_classes,
    object_state,
    output_kind,
    output_units,
    shareable_key,
)
from ._layers import (
    all_layers,
    built_shape,
    is_called,
    mask_operations,
    run_graph,
    use_one_scale_for_dense_kernels,
)
from ._numpy._predict import predict_rows
from ._output_units import (
    enter_output_units,
    leave_output_units,
    takes_output_units,
    training_loss,
    training_metrics,
)
from ._parcel import Parcel, copy_by_parcel
from ._predict import clear_prediction_calls, predict_raw
from ._predict_nested import predict_nested
from ._resize import applied_once, layer_width, next_operations, output_layers, resized
from ._scopes import dtype_scope, name_scope, seed_scope, trusted_config_scope
from ._structure import (
    OutputForm,
    fixed_batch,
    input_tensors,
    output_form,
    output_tensors,
    reset_states,
)
from ._tables._coarse_noise import coarse_rate, random_bytes
from ._tables._columns import Columns, prepare_columns
from ._tables._table_network import is_table_layer, own_class_name, split_behind_table, table_layer
from ._trace import network_graph

__all__ = [
    "Columns",
    "CustomObjects",
    "FunctionalOptimizer",
    "OutputForm",
    "Parcel",
    "all_finite",
    "all_layers",
    "applied_once",
    "built_metrics",
    "built_shape",
    "clear_prediction_calls",
    "clone_graph_behind",
    "coarse_rate",
    "compile_arguments",
    "compile_settings",
    "copy_by_parcel",
    "copy_layer",
    "copy_network",
    "copy_operation",
    "copy_optimizer",
    "copy_variables",
    "dtype_scope",
    "dump_objects",
    "fixed_batch",
    "enter_output_units",
    "fold_affine",
    "forget_key",
    "from_logits",
    "functional_class",
    "graph_nodes",
    "input_tensors",
    "is_adapted",
    "is_called",
    "is_table_layer",
    "keras_model_problem",
    "layer_calls",
    "layer_width",
    "learning_rate_schedule",
    "leave_output_units",
    "load_keras",
    "load_tensorflow",
    "loss_classes",
    "metric_classes",
    "mask_operations",
    "metric_function",
    "name_scope",
    "network_graph",
    "next_operations",
    "object_state",
    "output_form",
    "output_kind",
    "output_layers",
    "output_tensors",
    "output_units",
    "own_class_name",
    "plain_executor",
    "predict_nested",
    "predict_raw",
    "predict_rows",
    "prepare_columns",
    "random_bytes",
    "rebuild",
    "reset_states",
    "resized",
    "run_graph",
    "seed_scope",
    "shareable_key",
    "slot_names",
    "split_behind_table",
    "table_layer",
    "takes_output_units",
    "split_columns",
    "traced",
    "training_loss",
    "training_metrics",
    "trusted_config_scope",
    "use_one_scale_for_dense_kernels",
    "why_not_functional",
]
