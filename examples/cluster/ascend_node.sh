#!/bin/sh
# Train on a node with 8 Ascend processors. Usage: ascend_node.sh EXPERIMENT [train options]
#
# CANN must be installed: its set_env.sh defines the paths. Each worker takes the processor of its
# number on the node. HCCL needs no rank table on a single node.
set -eu

. "${ASCEND_TOOLKIT:-/usr/local/Ascend/ascend-toolkit}/set_env.sh"

exec dnnbridge launch -n "${WORKERS:-8}" --restarts 2 --logs logs -- \
    train "$@" --backend mindspore --device ascend --backup backup --save trained.safetensors
