"""Lists of executions: CSV files of outputs and image sets."""

from __future__ import annotations

import pytest

from radledger.algorithms.errors import InvalidRunList
from radledger.algorithms.run_list import ListedRun, read_run_list

ONE, OTHER = "0x" + "01" * 32, "0x" + "02" * 32


@pytest.fixture
def listed(tmp_path):
    """Write a list beside two outputs."""
    (tmp_path / "a.dcm").write_bytes(b"a")
    (tmp_path / "b, c.dcm").write_bytes(b"b")

    def write(content):
        file = tmp_path / "runs.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n,\n"])
def test_a_line_is_an_output_and_its_image_sets(listed, tmp_path, mark, end):
    file = listed(f'{mark}a.dcm,{ONE}{end}"b, c.dcm", {OTHER} ,{ONE}')
    assert read_run_list(file) == (
        ListedRun(tmp_path / "a.dcm", (ONE,)),
        ListedRun(tmp_path / "b, c.dcm", (OTHER, ONE)),
    )


@pytest.mark.parametrize("line", ["a.dcm", "a.dcm,", f",{ONE}", f"a.dcm,{ONE},", f"c.dcm,{ONE}"])
def test_a_line_that_lacks_something(listed, line):
    file = listed(f"a.dcm,{ONE}\n{line}\n")
    with pytest.raises(InvalidRunList, match="line 2") as refused:
        read_run_list(file)
    assert refused.value.values == {"path": str(file), "line": 2}


@pytest.mark.parametrize("content", ["", "\n\n", b"\xff\xfe", f'"a.dcm,{ONE}\n', "a\0b,c"])
def test_what_is_not_a_list(listed, content):
    file = listed(content)
    with pytest.raises(InvalidRunList) as refused:
        read_run_list(file)
    assert refused.value.values["path"] == str(file)


def test_a_folder_is_not_a_list(tmp_path):
    with pytest.raises(InvalidRunList):
        read_run_list(tmp_path)
