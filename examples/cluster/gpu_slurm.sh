#!/bin/sh
#SBATCH --job-name=dnnbridge
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --requeue
# Train on 16 GPUs. Usage: sbatch gpu_slurm.sh EXPERIMENT [train options]
#
# Slurm starts one launch on each node, which starts 8 workers. If a launch fails on one node, Slurm
# ends the other. The job may be queued again: it goes on from the folder `backup`, which must be on
# a disk that both nodes see.
set -eu

exec srun --kill-on-bad-exit=1 dnnbridge launch -n "${WORKERS:-8}" --hosts slurm --logs logs -- \
    train "$@" --backend tensorflow --device gpu --backup backup --save trained.safetensors
