"""Valid files, and a process that reads files: one of each for all tests of this folder."""

import pytest
from robustness.readers import Reader
from robustness.valid_files import write_all


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("valid")
    write_all(made)
    return made


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    made = Reader(tmp_path_factory.mktemp("reader"))
    yield made
    made.end()
