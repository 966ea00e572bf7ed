# make demo    compare the backends on real digits, and on MNIST where DNNBRIDGE_DATA names it
# make test    run the tests, framework-heavy ones in a short form
# make test-long    run the long forms that a change must pass too
# make test-longest    every case for a simulated Ascend, kills, damaged files, many compilations: two hours
# make lint    style and types
# make docs    write the generated pages of docs/reference anew
# make names   add new names of the installed frameworks to the table of foreign names
# make keras-models    measure how models of Keras move and write docs/measurements/keras-models.md, an hour
# make ascend    compile every case for a simulated Ascend and write docs/measurements/ascend-simulation.json, 20 minutes or more
# make bench   time training against the frameworks' own loops, some 40 minutes; writes out/speed.json and .svg
# make large-data  measure memory of trainings on 4 GB, and steps with large tables, ten minutes
# make long-run    measure memory, time, files and threads of long trainings and of many compilations, 20 minutes
# make scaling    measure one and two workers, model up to 1,024, and write docs/measurements/scaling.md, 10 minutes
# make test-matrix    run a part of the tests with the oldest and newest frameworks, each in an environment of its own
# make audit    look for known weaknesses of the pinned packages; needs the internet
# make doctor-bench    judge what align finds of pairs of programs, some minutes; writes docs/measurements/doctor-bench.md
# make native-differences    measure both frameworks anew and write docs/measurements/native-differences.md
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test test-long test-longest test-matrix lint docs names native-differences keras-models doctor-bench ascend bench \
	large-data long-run scaling audit clean

demo: $(INSTALLED)
	$(BIN)/dnnbridge backends
	@mkdir -p out
	$(BIN)/dnnbridge compare examples/digits_mlp.py --data digits --batch-size 32 --epochs 10 \
		--backends tensorflow,mindspore,reference --report out/digits.html
	@if [ -n "$$DNNBRIDGE_DATA" ]; then \
		$(BIN)/dnnbridge compare examples/mnist_mlp.py --data mnist --batch-size 50 --epochs 3 \
			--backends tensorflow,mindspore,reference --report out/mnist.html; \
	else echo "Set DNNBRIDGE_DATA to a folder with MNIST's IDX files to compare on MNIST too."; fi

test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

LONG := tests/backends/test_accelerator_tables.py \
	tests/backends/test_framework_devices.py \
	tests/backends/test_machines.py \
	tests/backends/test_mindspore_forms.py \
	tests/conformance \
	tests/convert \
	tests/doctor/bench \
	tests/doctor/test_native_traces.py \
	tests/examples/test_custom_backend.py \
	tests/formats \
	tests/installation \
	tests/packaging/test_nothing_deprecated.py \
	tests/parallel \
	tests/testing/test_random_programs.py \
	tests/training/test_other_process.py \
	tests/zoo/test_zoo.py

test-long: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m slow $(LONG)

LONGEST := tests/ascend \
	tests/faults \
	tests/program/test_rematerialising.py \
	tests/robustness \
	tests/training/test_damage.py \
	tests/training/test_interrupts.py \
	tests/training/test_large_files.py \
	tests/training/test_long_runs.py

test-longest: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m slow $(LONGEST)

test-matrix: $(INSTALLED)
	PYTHONPATH=tools $(BIN)/python tools/test_matrix.py

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(INSTALLED)
	$(BIN)/python tools/public_names.py
	PYTHONPATH=tools:tests $(BIN)/python -m pages
	$(BIN)/python tools/doctor_rules.py

names: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python tools/merge_names.py

native-differences: $(INSTALLED)
	PYTHONPATH=tools $(BIN)/python -m native_differences
	PYTHONPATH=tools $(BIN)/python tools/conversion_differences.py
	$(BIN)/python tools/doctor_rules.py

keras-models: $(INSTALLED)
	PYTHONPATH=tools:tests $(BIN)/python -m keras_models

doctor-bench: $(INSTALLED)
	PYTHONPATH=tools:tests $(BIN)/python tools/doctor_bench.py

ascend: $(INSTALLED)
	PYTHONPATH=tools:tests $(BIN)/python tools/ascend_simulation.py

bench: $(INSTALLED)
	$(BIN)/python benchmarks/speed

# uv installs in seconds what takes pip minutes; plain venv and pip bring it.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v in {(3, 11), (3, 12)} \
		else "Python 3.11 or 3.12 is needed, got %d.%d. Try: make PYTHON=python3.11" % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -b constraints.txt \
		-e '.[test,lint]'
	touch $(INSTALLED)

large-data: $(INSTALLED)
	PYTHONPATH=tools $(BIN)/python -m large_data

long-run: $(INSTALLED)
	PYTHONPATH=tools $(BIN)/python -m endurance

scaling: $(INSTALLED)
	PYTHONPATH=tools $(BIN)/python -m scaling

# A virtual environment of its own, so that it changes nothing that is audited.
audit:
	$(PYTHON) -m venv out/audit
	out/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	out/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

clean:
	rm -rf $(VENV) out
