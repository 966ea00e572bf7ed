"""Build a stub of CANN, with which MindSpore's Ascend plugin loads on a machine without CANN.

python tests/ascend/stub_cann.py FOLDER

MindSpore's simulation compiles for an Ascend processor that is not there, but it loads CANN. Here
every function of CANN is one that returns 0. What the plugins need is read from their symbol
tables, so no name of CANN is written down. It needs g++ and binutils, on Linux with x86-64.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PROCESSOR = "Ascend910B2"
"""The processor that is simulated."""

LOADED = ("libascendcl.so", "libacl_op_compiler.so", "libacl_tdt_channel.so", "libacl_tdt_queue.so")
"""Libraries that the plugins open by name while they run."""

BY_NAME = re.compile(rb"\0((?:acl(?:rt|op|mdl|tdt|prof|nn)?[A-Z]|Hccl|Msprof)\w+)(?=\0)")
"""Names of functions that the plugins look up while they run."""

NOT_CANN = re.compile(r"_?Py|_ITM|__gmon|_ZTH|_ZT[VIST]|.*StatusFactory8Instance")
"""Symbols of Python, of the C++ library, and the one that `EXTRA` defines."""

CONSTRUCTORS = {
    r"_ZN2ge(8OperatorC[12]E|15OperatorFactory14CreateOperator)": 3,
    r"_ZN2ge\w*C[12]E": 2,
}
"""Functions that make an object, and how many of its pointers they must set to null."""

EXTRA = f"""
#include <cstdint>
#include <map>
#include <string>
namespace ge {{
struct StatusFactory {{
  static StatusFactory *Instance();
  std::map<uint32_t, std::string> texts;
}};
StatusFactory *StatusFactory::Instance() {{
  static StatusFactory *made = new StatusFactory();
  return made;
}}
}}
extern "C" const char *aclrtGetSocName() {{ return "{PROCESSOR}"; }}
"""


def missing() -> str:
    """Return what is missing to build the stub here, or an empty text."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"Linux with x86-64, not {platform.system()} {platform.machine()}"
    absent = [tool for tool in ("g++", "nm", "readelf") if not shutil.which(tool)]
    if absent:
        return f"the commands {', '.join(absent)}"
    if not _plugins():
        return "a MindSpore with the plugins for Ascend"
    return ""


def build(folder: Path) -> dict[str, str]:
    """Build the stub in a folder; return the variables that make MindSpore use it."""
    libraries = folder / "Ascend" / "cann" / "lib64"  # MindSpore looks for such a path
    operations = folder / "opp" / "op_api" / "lib"
    package = folder / "python" / "hccl"
    for each in (libraries, operations, package):
        each.mkdir(parents=True, exist_ok=True)
    stub = folder / "libstub.so"
    (folder / "stub.s").write_text("".join(_assembly(sorted(_functions()))))
    (folder / "extra.cc").write_text(EXTRA)
    command = ["g++", "-O1", "-shared", "-fPIC", "-D_GLIBCXX_USE_CXX11_ABI=0", "-o", stub]
    subprocess.run([*command, folder / "stub.s", folder / "extra.cc"], check=True)
    for name in _needed() | set(LOADED):
        shutil.copy(stub, libraries / name)
    shutil.copy(stub, operations / "libcust_opapi.so")
    (package / "__init__.py").touch()
    (package / "sys_version.py").write_text('__sys_version__ = "8.2.RC1"\n')
    return {
        "LD_LIBRARY_PATH": str(libraries),
        "ASCEND_CUSTOM_OPP_PATH": str(folder / "opp"),
        "PYTHONPATH": str(folder / "python"),
        "MS_SIMULATION_LEVEL": "1",
        "GLOG_v": "4",
    }


def _mindspore() -> Path:
    found = importlib.util.find_spec("mindspore")
    return Path(found.origin or "").parent if found else Path()


def _plugins() -> list[Path]:
    folder = _mindspore() / "lib" / "plugin"
    own = [folder / "libmindspore_ascend.so.2", folder / "libmindspore_ops_ascend.so"]
    inner = [path for path in folder.glob("ascend/**/*.so*") if "custom_" not in str(path)]
    return [path for path in [*own, *inner] if path.is_file()]


def _here() -> Iterator[Path]:
    """Yield the libraries of MindSpore itself, without those for GPUs."""
    yield from _mindspore().glob("*.so")
    for path in _mindspore().glob("lib/**/*.so*"):
        if path.is_file() and "gpu" not in str(path.relative_to(_mindspore())):
            yield path


def _needed() -> set[str]:
    """Return the names of the libraries that neither MindSpore nor the system has."""
    read = _output("readelf", "-d", *_plugins())
    there = {path.name for path in _mindspore().rglob("*.so*")}
    return {
        name
        for name in re.findall(r"\(NEEDED\).*\[(.+)\]", read)
        if name not in there and not _of_system(name)
    }


def _of_system(name: str) -> bool:
    return bool(re.match(r"lib(stdc\+\+|m|gomp|gcc_s|pthread|c|dl|rt|z)\.so|ld-linux", name))


def _functions() -> set[str]:
    """Return the functions that the plugins call and nobody defines."""
    wanted = _symbols("--undefined-only", _plugins()) - _symbols("--defined-only", _here())
    wanted -= _symbols("--defined-only", _system())
    found = {name for path in _plugins() for name in _looked_up(path)}
    kernels = {name for name in found if name.startswith("aclnn")} | {"aclnnInit", "aclnnFinalize"}
    sizes = {f"{name}GetWorkspaceSize" for name in kernels if "GetWorkspaceSize" not in name}
    every = wanted | found | kernels | sizes
    return {name for name in every if not NOT_CANN.match(name)} - {"aclrtGetSocName"}


def _looked_up(path: Path) -> set[str]:
    if "kernels" in path.name:
        return set()
    return {name.decode() for name in BY_NAME.findall(path.read_bytes())}


def _system() -> list[Path]:
    """Return the system's libraries that this process or the plugins have."""
    folders = [Path(each) for each in ("/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64")]
    paths = {path.name: path for folder in folders for path in folder.glob("*.so*")}
    return [path for name, path in paths.items() if _of_system(name)]


def _symbols(which: str, paths: Iterable[Path]) -> set[str]:
    """Return dynamic symbols without their versions; those that may be absent are left out."""
    lines = _output("nm", "-D", which, *paths).splitlines()
    rows = [line.split() for line in lines]
    return {
        row[-1].partition("@")[0]
        for row in rows
        if len(row) > 1 and (which == "--defined-only" or row[-2] == "U")
    }


def _output(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return done.stdout


def _assembly(names: Iterable[str]) -> Iterator[str]:
    """Yield the source of functions: those that make objects, and one body for all others."""
    yield ".text\n"
    others = []
    for name in names:
        label = f".globl {name}\n.type {name},@function\n{name}:\n"
        counts = [n for pattern, n in CONSTRUCTORS.items() if re.match(pattern, name)]
        if counts:
            nulls = "".join(f" movq $0,{8 * k}(%rdi)\n" for k in range(counts[0]))
            yield f"{label}{nulls} movq %rdi,%rax\n ret\n"
        else:
            others.append(label)
    yield from others
    yield ' xorl %eax,%eax\n ret\n.section .note.GNU-stack,"",@progbits\n'


if __name__ == "__main__":
    for variable, value in build(Path(sys.argv[1]).absolute()).items():
        print(f"{variable}={value}")
