"""`tools/check_length.py` finds files that are too long, and only these."""

from __future__ import annotations

from tools.check_length import LIMITS, main, too_long


def test_a_file_over_its_limit_is_found(tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    for suffix, limit in LIMITS.items():
        (tmp_path / f"within{suffix}").write_text("\n" * limit)
        (tmp_path / "folder" / f"over{suffix}").write_text("\n" * (limit + 1))
    (tmp_path / "data.json").write_text("\n" * 10_000)
    found = too_long(tmp_path)
    assert {path.name: length for path, length in found} == {
        f"over{suffix}": limit + 1 for suffix, limit in LIMITS.items()
    }
    assert main([str(tmp_path)]) == 1
    assert f"over.py: {LIMITS['.py'] + 1} lines, at most {LIMITS['.py']}" in capsys.readouterr().out


def test_no_file_is_too_long():
    assert main([]) == 0
