from pytest_xeonperf.host.libraries import Role, find_libraries, loaded_library


def test_the_best_allocator_wins_over_the_first_folder(tmp_path):
    for name in ("a/libjemalloc.so.2", "b/libtcmalloc.so.4", "b/libiomp5.so"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_libraries((str(tmp_path / "a"), str(tmp_path / "b")))
    assert [(library.role, library.name) for library in found] == [
        (Role.ALLOCATOR, "libtcmalloc"),
        (Role.OPENMP, "libiomp5"),
    ]


def test_nothing_installed_is_nothing_found(tmp_path):
    assert find_libraries((str(tmp_path),)) == ()


def test_a_loaded_library_is_seen_by_its_file_name():
    assert loaded_library("libno-such", "libc.so", "libc-").startswith("libc")
    assert loaded_library("libno-such") == ""
