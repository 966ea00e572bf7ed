"""What the page of throughput says between its tables."""

HEAD = """# Throughput by workers

`make scaling` measures one and two workers on one machine, and models 2 to 1,024. It wrote this
page. No more than two workers were run: all else here is a model.

Measured on {machine}, with {versions}.
Each worker computes in one thread (`OMP_NUM_THREADS=1`, `TF_NUM_INTRAOP_THREADS=1`), so two workers
can use two cores and one worker one. The cases of a net take turns in one launch of two workers. A
time is the lower quartile of {turns} turns of {steps} steps. Other work kept the machine busy (mean
load before: up to {load:.1f}), which lengthens sums most, so another run gives other figures.

## Measured: one worker and two

*Same batch*: two workers share it. *Twice the batch*: each worker has as many rows as one worker
had. One worker has the kernels of several: on TensorFlow without XLA, which compiles no sums over
workers ([speed.md](speed.md) has one worker as it usually is). *Faster* is the throughput of two
workers over that of one, and in brackets the median of this ratio in each turn. 2 is ideal, and
below 1 two are slower. Where both figures differ much, other work decided. *Summing* is the step of
two workers less that of both at once, each alone, with the same rows.

| | batch | one, ms | same batch, ms | faster | twice the batch, ms | faster | summing, ms |
|---|---|---|---|---|---|---|---|"""

RATES = """
Examples per second, from the same times:

| | one | two, same batch | two, twice the batch |
|---|---|---|---|"""

MESSAGES = """
## Messages of a step

Counted in the program of one of several workers: each `AllReduceSum` and `AllReduceGradient` is one
message, a sum of float32 over all workers.

| | weights | messages | bytes | largest |
|---|---|---|---|---|"""

SUMS = """
So a step sums the gradients of all weights, the loss and the sums of metrics. Statistics of
`BatchNormalization` make four small messages for each of these layers. After each call of several
steps comes one message more, of a few numbers.

## Measured: sums alone

One sum over two workers, in ms: a program that only sums, less the same program without the sum.
A line through these times, with the least relative errors, gives the latency a and the bandwidth B
of a ring of two, which takes 2 a + bytes/B.
"""

CHECK = """
## The model against the measurement

The step of two workers that share a batch should be the step of one worker with half of the batch,
and the sums. *Alone*: one worker has the machine. *Both*: both compute at once, without sums, so
what they take from each other is counted. The error of the model is in brackets. Where it is
negative, sums took longer in the training than alone. The likely reason is that each waits for the
slower worker, which other work of the machine delays. The model does not have this wait.

| | half the batch: alone, ms | both, ms | sums by the model, ms | measured, ms | model, alone \
| model, both |
|---|---|---|---|---|---|---|"""

MODEL = """
## Model: many workers

The time of a step is `fixed + row · rows + Σ sum(n, bytes)`, with one sum for each message. The
first two are a line through the steps of one worker with the batch, a half and an eighth of
it. A sum over n workers takes the less of

- a ring: `2 (n - 1) a + 2 (n - 1)/n · bytes/B` (Patarasuk and Yuan, "Bandwidth optimal all-reduce
  algorithms for clusters of workstations", 2009);
- recursive doubling, for small messages: `log2(n) · (a + bytes/B)` (Thakur, Rabenseifner and Gropp,
  "Optimization of collective communication operations in MPICH", 2005).

Efficiency is throughput(n) / (n · throughput(1)), here in percent. Left out are: adding the
numbers, sums while others compute, links that several pairs share, waiting for the slowest worker,
and the preparation of batches, which each worker does for all rows. So measured figures may be
better or worse.

| link | B, GB/s | a, µs |
|---|---|---|
{links}

Bandwidths are nominal: those of the standards; for NVLink, which joins the processors of a host or
of a few, half of the 900 GB/s that NVIDIA states for both directions of an H100. Latencies are
parameters: usual values, which no standard fixes. For another link, such as HCCS of an Ascend,
look at the nearest row, or put its numbers into `tools/scaling/links.py`. *10 x* and *100 x*
are parameters too: a worker that computes in a tenth or a hundredth of the time, as accelerators
do. Then sums matter more.

The picture shows the first net of the tables below; 1 is ideal.

![Efficiency by the number of workers](scaling.svg)"""

STRONG = """
The same batch of {batch:,} rows, shared by all workers:
"""

WEAK = """
{rows} rows for each worker:
"""
