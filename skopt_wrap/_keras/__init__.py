"""The one door to Keras and TensorFlow.

Nothing here imports them before a function is called. Everything that touches a private name
of either library lives in this package, so that a new release is met in one place.
"""

from ._affine import fold_affine
from ._backend import keras_model_problem, load_keras, load_tensorflow, plain_executor, traced
from ._compiled import built_metrics, compile_arguments, learning_rate_schedule, metric_function
from ._custom_objects import CustomObjects, copy_network, copy_operation, dump_objects
from ._functional import FunctionalOptimizer, graph_nodes, slot_names, why_not_functional
from ._graph import layer_calls, rebuild
from ._inspect import (
    all_finite,
    compile_settings,
    copy_optimizer,
    forget_key,
    from_logits,
    functional_class,
    is_adapted,
    loss_classes,
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
from ._parcel import Parcel, copy_by_parcel
from ._predict import clear_prediction_calls, predict_raw
from ._resize import applied_once, layer_width, next_operations, output_layers, resized
from ._scopes import dtype_scope, name_scope, seed_scope, trusted_config_scope

__all__ = [
    "CustomObjects",
    "FunctionalOptimizer",
    "Parcel",
    "all_finite",
    "all_layers",
    "applied_once",
    "built_metrics",
    "built_shape",
    "clear_prediction_calls",
    "compile_arguments",
    "compile_settings",
    "copy_by_parcel",
    "copy_network",
    "copy_operation",
    "copy_optimizer",
    "dtype_scope",
    "dump_objects",
    "fold_affine",
    "forget_key",
    "from_logits",
    "functional_class",
    "graph_nodes",
    "is_adapted",
    "is_called",
    "keras_model_problem",
    "layer_calls",
    "layer_width",
    "learning_rate_schedule",
    "load_keras",
    "load_tensorflow",
    "loss_classes",
    "mask_operations",
    "metric_function",
    "name_scope",
    "next_operations",
    "object_state",
    "output_kind",
    "output_layers",
    "output_units",
    "plain_executor",
    "predict_raw",
    "rebuild",
    "resized",
    "run_graph",
    "seed_scope",
    "shareable_key",
    "slot_names",
    "traced",
    "trusted_config_scope",
    "use_one_scale_for_dense_kernels",
    "why_not_functional",
]
